"""Requests of programs that serve people, as their sources make them, and what these programs read of the answers.

Each file in `bodies/` is a program; each request says in which of its files it was read. `MODEL` is the model's name.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.dialects import Sie, SieServers, sie_servers

BODIES = Path(__file__).with_name("bodies")

CLOSE = {"rtol": 0.0, "atol": 1e-4}


def requests() -> list[Any]:
    return [
        pytest.param(request, id=f"{path.stem}-{request['what']}")
        for path in sorted(BODIES.glob("*.json"))
        for request in json.loads(path.read_text())["requests"]
    ]


@pytest.fixture(scope="module")
def sie(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SieServers]:
    with sie_servers(tmp_path_factory.mktemp("bodies")) as found:
        yield found


def values(path: str, answer: Any) -> Any:
    """What is at `path` of an answer, `[]` meaning each one of a list."""
    step, _, rest = path.partition(".")
    if not step:
        return answer
    name, each, more = step.partition("[]")
    found = answer[name] if name else answer
    if not each:
        return values(rest, found)
    rest = more + ("." if more and rest else "") + rest
    return [values(rest.removeprefix("."), one) for one in found]


def flat(found: Any) -> list[Any]:
    return [one for each in found for one in flat(each)] if isinstance(found, list) else [found]


def vectors(client: Sie, body: Any) -> list[Any]:
    texts = body.get("input") or body.get("inputs") or body.get("texts")
    return [each["embedding"] for each in client.ready_made(texts)]


def scores(client: Sie, body: Any) -> list[float]:
    found = client.score(body["query"], *(body.get("documents") or body["texts"])).json()["scores"]
    return [each["score"] for each in found]


def check_vectors(found: Any, client: Sie, body: Any) -> None:
    np.testing.assert_allclose(found, vectors(client, body), **CLOSE)


def check_base64(found: Any, client: Sie, body: Any) -> None:
    check_vectors([np.frombuffer(base64.b64decode(each), dtype="<f4") for each in found], client, body)


def check_scores(found: Any, client: Sie, body: Any) -> None:
    np.testing.assert_allclose(found, scores(client, body), **CLOSE)


def check_indices(found: Any, client: Sie, body: Any) -> None:
    assert sorted(found) == list(range(len(body.get("documents") or body["texts"])))


def check_documents(found: Any, client: Sie, body: Any) -> None:
    assert sorted(found) == sorted(body.get("documents") or body["texts"])


def of_each(right: Callable[[Any], bool]) -> Callable[[Any, Sie, Any], None]:
    def check(found: Any, client: Sie, body: Any) -> None:
        assert all(map(right, flat(found))), found

    return check


CHECKS: dict[str, Callable[[Any, Sie, Any], None]] = {
    "vectors": check_vectors,
    "vectors as base64": check_base64,
    "scores": check_scores,
    "indices": check_indices,
    "documents": check_documents,
    "the word embedding": lambda found, *_: check_equal(found, "embedding"),
    "the word rerank": lambda found, *_: check_equal(found, "rerank"),
    "parts of the text": lambda found, _, body: check_equal("".join(found), body["text"]),
    "the name": lambda found, client, _: check_equal({name.removesuffix(":latest") for name in found}, {client.id}),
    "a count": of_each(lambda one: type(one) is int and one >= 0),
    "a number": of_each(lambda one: isinstance(one, float)),
    "lists of numbers": of_each(lambda one: isinstance(one, float)),
    "a text": of_each(lambda one: isinstance(one, str)),
    "an object": of_each(lambda one: isinstance(one, dict)),
    "yes or no": of_each(lambda one: isinstance(one, bool)),
    "a time": of_each(lambda one: datetime.fromisoformat(one).tzinfo is not None),
    "numbers with dots": of_each(lambda one: re.fullmatch(r"\d+(\.\d+)+", one) is not None),
}
"""What a program takes a part of an answer for."""


def check_equal(found: Any, right: Any) -> None:
    assert found == right


@pytest.mark.parametrize("request_", requests())
def test_the_program_reads_what_it_looks_for(request_: dict[str, Any], sie: SieServers) -> None:
    client = sie[request_["serves"]]
    body = json.loads(json.dumps(request_.get("body")).replace('"MODEL"', json.dumps(client.id)))
    content = None if body is None else json.dumps(body)
    response = client.http.request(
        request_["method"], request_["path"].replace("MODEL", client.id), content=content, headers=request_["headers"]
    )
    assert response.status_code == 200, response.text
    for path, kind in request_["reads"].items():
        CHECKS[kind](values(path, response.json()), client, body)
