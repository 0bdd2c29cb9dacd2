"""The bodies that the document gives as examples, at every kind of model: what a person tries first has to work."""

from collections.abc import Iterator
from typing import Any

import pytest
from openapi_schema_validator import OAS30Validator

from support.dialects import SieServers

KINDS = [
    "dense",
    "tokens",
    "sparse",
    "labels",
    "ner",
    "cross",
    "colbert",
    "gliclass",
    "gliclass-text-first",
    "gliner",
    "nli",
    "bge-m3",
    "bge-m3-heads",
]


def examples(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Of the routes that the model can answer: path, schema, body."""
    for path, methods in document["paths"].items():
        content = methods.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json", {})
        if "example" in content:
            schema = {**content["schema"], "components": document["components"]}
            yield path.replace("{model}", document["info"]["title"]), schema, content["example"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_example_is_answered(kind: str, sie: SieServers) -> None:
    client = sie[kind]
    found = list(examples(client.http.get("/openapi.json").json()))
    assert {"/predict", "/api/show"} <= {path for path, _, _ in found}
    for path, schema, body in found:
        OAS30Validator(schema).validate(body)
        answer = client.post(path, body)
        assert answer.status_code == 200, (path, body, answer.text)
