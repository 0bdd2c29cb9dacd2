"""What is answered fits the types of TEI's published document (`published.json` has its types, not its words)."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_schema_validator import OAS30Validator

from support.dialects import Sie, SieServers

DOCUMENT = json.loads((Path(__file__).parent / "published.json").read_text(encoding="utf-8"))

LABELS = ("labels", "cross")
DENSE = ("dense", "tokens")

REQUESTS: list[tuple[str, str, Any]] = [
    *((kind, "/embed", {"inputs": given}) for kind in DENSE for given in ("a", ["a", "b c"])),
    *((kind, "/embed_all", {"inputs": given}) for kind in DENSE for given in ("a", ["a", "b c"])),
    *((kind, "/embed_sparse", {"inputs": given}) for kind in ("sparse", "bge-m3") for given in ("a", ["a", "b"])),
    *((kind, "/predict", {"inputs": given}) for kind in LABELS for given in ("a", [["a"], ["a", "b"]])),
    ("cross", "/rerank", {"query": "a", "texts": ["b", "c"]}),
    ("cross", "/rerank", {"query": "a", "texts": ["b", "c"], "return_text": True, "raw_scores": True}),
    ("dense", "/similarity", {"inputs": {"source_sentence": "a", "sentences": ["b", "c"]}}),
    ("ner", "/tokenize", {"inputs": "Zürich is nice"}),
    ("ner", "/tokenize", {"inputs": ["a", "b"], "add_special_tokens": False}),
    ("ner", "/decode", {"ids": [5, 6, 7]}),
    ("ner", "/decode", {"ids": [[5, 6], [7]], "skip_special_tokens": False}),
]

REFUSED: list[tuple[str, str, Any, int]] = [
    *(("labels", path, {"inputs": "a"}, 424) for path in ("/embed", "/embed_all", "/embed_sparse")),
    ("dense", "/predict", {"inputs": "a"}, 424),
    ("ner", "/predict", {"inputs": "a"}, 424),
    ("gliner", "/predict", {"inputs": "a"}, 424),
    ("dense", "/rerank", {"query": "a", "texts": ["b"]}, 424),
    ("labels", "/similarity", {"inputs": {"source_sentence": "a", "sentences": ["b"]}}, 424),
    ("dense", "/embed", {"inputs": []}, 400),
    ("dense", "/embed", {"inputs": ""}, 400),
    ("dense", "/similarity", {"inputs": {"source_sentence": "a", "sentences": []}}, 400),
    ("cross", "/rerank", {"query": "a", "texts": []}, 400),
    ("dense", "/tokenize", {"inputs": []}, 400),
    ("dense", "/decode", {"ids": []}, 400),
    ("dense", "/embed", {"inputs": ["a"] * 4097}, 413),
    ("dense", "/embed", {"inputs": "word " * 600, "truncate": False}, 413),
    ("labels", "/predict", {"inputs": "word " * 600, "truncate": False}, 413),
    ("cross", "/rerank", {"query": "a", "texts": ["word " * 600], "truncate": False}, 413),
    ("dense", "/tokenize", {"inputs": "a" * 200_000}, 413),
    ("dense", "/decode", {"ids": [5] * 200_000}, 413),
    ("dense", "/embed", {}, 422),
    ("dense", "/embed", {"inputs": 1}, 422),
    ("dense", "/embed", {"inputs": "a", "normalize": "yes"}, 422),
    ("dense", "/embed", {"inputs": "a", "prompt_name": "none such"}, 422),
    ("dense", "/embed", {"inputs": "a", "dimensions": 3}, 422),
    ("dense", "/embed", {"inputs": [1, 2, 10**7]}, 422),
    ("labels", "/predict", {"inputs": [["a", "b", "c"]]}, 422),
    ("labels", "/predict", {"inputs": ["a", ["b"]]}, 422),
    ("labels", "/predict", {"inputs": [[]]}, 422),
    ("cross", "/rerank", {"texts": ["b"]}, 422),
    ("dense", "/decode", {"ids": [10**7]}, 422),
    ("dense", "/decode", {"ids": [5, [6]]}, 422),
]


def check(path: str, response: httpx.Response, method: str = "POST") -> None:
    """Fails where the document does not have this status for the route, or not this body."""
    schema = DOCUMENT["operations"][f"{method} {path}"]["responses"][str(response.status_code)]
    OAS30Validator({**schema, "components": DOCUMENT["components"]}).validate(response.json())


def ids_of(values: list[tuple[Any, ...]]) -> list[str]:
    return [f"{each[0]}{each[1]}-{index}" for index, each in enumerate(values)]


@pytest.mark.parametrize(("kind", "path", "body"), REQUESTS, ids=ids_of(REQUESTS))
def test_an_answer_fits_the_document(kind: str, path: str, body: Any, sie: SieServers) -> None:
    request = DOCUMENT["operations"][f"POST {path}"]["request"]
    OAS30Validator({**request, "components": DOCUMENT["components"]}).validate(body)
    response = sie[kind].post(path, body)
    assert response.status_code == 200, response.text
    check(path, response)


@pytest.mark.parametrize(("kind", "path", "body", "status"), REFUSED, ids=ids_of(REFUSED))
def test_a_refusal_fits_the_document(kind: str, path: str, body: Any, status: int, sie: SieServers) -> None:
    response = sie[kind].post(path, body)
    assert response.status_code == status, response.text
    check(path, response)
    assert response.json()["error"]


@pytest.mark.parametrize("kind", ["dense", "tokens", "sparse", "bge-m3", "labels", "cross"])
def test_info_fits_the_document(kind: str, sie: SieServers) -> None:
    check("/info", sie[kind].http.get("/info"), "GET")


def test_a_full_queue_is_429_and_a_stopping_server_503(own: SieServers) -> None:
    client: Sie = own.serve(own.model("dense"))
    client.service.ready = False
    response = client.post("/embed", {"inputs": "a"})
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert response.json()["error_type"] == "Unhealthy"
