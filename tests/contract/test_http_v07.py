"""HTTP clients that were made from the OpenAPI of encoderfile v0.7.0 keep working."""

import json
from typing import Any

import pytest
from jsonschema import validate

from support.servers import Servers

FLOATS = {"type": "array", "items": {"type": "number"}}
COUNT = {"type": "integer", "minimum": 0}


def shape(**fields: Any) -> dict[str, Any]:
    """An object with these fields; a client leaves others unread."""
    return {"type": "object", "properties": fields, "required": list(fields)}


def listed(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item, "minItems": 1}


TOKEN_INFO = shape(token={"type": "string"}, token_id=COUNT, start=COUNT, end=COUNT)
RESULTS = {
    "embed-tokens": shape(embeddings=listed(shape(embedding=FLOATS, token_info=TOKEN_INFO))),
    "embed": shape(embedding=FLOATS),
    "sentiment": shape(logits=FLOATS, scores=FLOATS, predicted_index=COUNT, predicted_label={"type": "string"}),
    "ner": shape(
        tokens=listed(shape(token_info=TOKEN_INFO, scores=FLOATS, label={"type": "string"}, score={"type": "number"}))
    ),
}
"""One result of each model type that version had, with the fields that its document requires."""
MORE = {"embed-tokens": {"normalize": True}}
"""What the API page requires and that version did not read."""

each_type = pytest.mark.parametrize("name", RESULTS)


@each_type
def test_an_answer_has_every_field_that_version_promised(name: str, servers: Servers) -> None:
    request = {"inputs": ["hello Paris", "and Rome"], "metadata": {"k": "v"}, **MORE.get(name, {})}
    answer = servers.shared("http", name).post(json.dumps(request))
    assert answer.status_code == 200
    validate(
        answer.json(),
        shape(results={**listed(RESULTS[name]), "minItems": 2}, model_id={"type": "string"}, metadata=shape(k={})),
    )


@each_type
def test_the_model_is_described_by_the_same_fields(name: str, servers: Servers) -> None:
    found = servers.shared("http", name).get("/model").json()
    validate(found, shape(model_id={"type": "string"}, model_type={"type": "string"}))
    validate(found.get("id2label", {}), {"type": "object", "additionalProperties": {"type": "string"}})


@each_type
def test_the_document_is_where_it_was_and_has_the_same_routes(name: str, servers: Servers) -> None:
    document = servers.shared("http", name).get("/openapi.json").json()
    assert {"/health", "/model", "/openapi.json", "/predict"} <= document["paths"].keys()


@pytest.mark.parametrize(
    ("body", "status"),
    [({"inputs": []}, 422), ({"inputs": ["a", ""]}, 422), ({}, 422), ({"inputs": 1}, 422)],
    ids=["nothing", "an empty text", "no inputs", "no list"],
)
def test_a_refusal_has_the_status_of_that_version_and_is_plain_text(
    body: dict[str, Any], status: int, servers: Servers
) -> None:
    answer = servers.shared("http", "sentiment").post(json.dumps(body))
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert "\n" not in answer.text


def test_a_client_that_knows_no_normalize_is_told_of_it(servers: Servers) -> None:
    answer = servers.shared("http", "embed-tokens").post(json.dumps({"inputs": ["hello"]}))
    assert answer.status_code == 422
    assert "normalize" in answer.text
