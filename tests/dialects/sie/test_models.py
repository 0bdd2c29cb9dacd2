"""Models: the one there is, what it gives, and every spelling of its id."""

from typing import Any

import pytest

from support.dialects import Sie, SieServers, code

HELLO = {"items": [{"text": "Hello world"}]}


@pytest.mark.proves("SIE GET /v1/models", "name, inputs, outputs, dims, loaded, max_sequence_length, profiles")
@pytest.mark.parametrize(
    ("kind", "outputs", "dims", "length"),
    [
        ("dense", ["dense"], {"dense": 128}, 256),
        ("tokens", ["dense", "multivector"], {"dense": 128, "multivector": 128}, 256),
        ("sparse", ["sparse"], {"sparse": 1200}, 64),
        ("cross", ["score", "json"], {}, 64),
        ("labels", ["json"], {}, 256),
        ("ner", ["json"], {}, 256),
    ],
)
def test_the_list_says_what_the_model_takes_and_gives(
    kind: str, outputs: list[str], dims: dict[str, int], length: int, sie: SieServers
) -> None:
    (model,) = sie[kind].http.get("/v1/models").json()["models"]
    assert (model["name"], model["inputs"], model["outputs"]) == (f"org/{kind}", ["text"], outputs)
    assert (model["dims"], model["max_sequence_length"]) == (dims, length)
    assert (model["loaded"], model["state"], model["last_error"]) == (True, "loaded", None)
    assert model["profiles"] == {"default": {"is_default": True}}


@pytest.mark.parametrize(
    ("kind", "word"),
    [("dense", "embedding"), ("bge-m3", "embedding"), ("colbert", "rerank"), ("cross", "rerank")],
)
def test_xinferences_clients_are_told_whether_the_model_embeds_or_ranks(
    kind: str, word: str, sie: SieServers
) -> None:
    assert sie[kind].http.get(f"/v1/models/org/{kind}").json()["model_type"] == word


@pytest.mark.proves("SIE GET /v1/models", "One model by its name")
@pytest.mark.parametrize("path", ["/v1/models/org/dense", "/v1/models/org%2Fdense", "/v1/models/org/dense:default"])
def test_one_model_is_the_entry_of_the_list(path: str, dense: Sie) -> None:
    (listed,) = dense.http.get("/v1/models").json()["models"]
    assert dense.http.get(path).json() == listed


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/org/dense"])
def test_models_are_json_whatever_is_asked_for(path: str, dense: Sie) -> None:
    response = dense.http.get(path, headers={"accept": "application/msgpack"})
    assert response.headers["content-type"] == "application/json"


@pytest.mark.proves("SIE GET /v1/models", "Names with a slash")
@pytest.mark.parametrize("name", ["org/dense", "org%2Fdense", "org/dense:default"])
def test_the_models_id_may_be_spelled_in_several_ways(name: str, dense: Sie) -> None:
    response = dense.post(f"/v1/encode/{name}", HELLO)
    assert (response.status_code, response.json()["model"]) == (200, name.replace("%2F", "/"))


@pytest.mark.proves("SIE Errors", "MODEL_NOT_FOUND, 404")
@pytest.mark.parametrize("name", ["no/such", "org/dense/", "", "ORG/dense", "org", "org/dense:fast"])
def test_another_model_is_not_found(name: str, dense: Sie) -> None:
    for route in ("encode", "score", "extract"):
        body = {"query": {"text": "q"}, **HELLO}
        assert code(dense.post(f"/v1/{route}/{name}", body)) == (404, "MODEL_NOT_FOUND")
    assert code(dense.http.get(f"/v1/models/{name}")) == (404, "MODEL_NOT_FOUND")


def test_the_refusal_names_the_model_that_is_here(dense: Sie) -> None:
    message = dense.post("/v1/encode/no/such", HELLO).json()["detail"]["message"]
    assert message == "Model 'no/such' not found: this file serves 'org/dense'"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/embeddings", {"model": "x" * 100_000, "input": "a"}),
        ("/v1/rerank", {"model": "x" * 100_000, "query": "a", "documents": ["a"]}),
        ("/v1/encode/org/dense", {**HELLO, "params": {"options": {"profile": "x" * 100_000}}}),
    ],
)
def test_a_refusal_repeats_only_the_beginning_of_a_long_name(path: str, body: dict[str, Any], dense: Sie) -> None:
    response = dense.post(path, body)
    assert "xxx' not found" in response.text
    assert len(response.text) < 1000


def test_a_bad_body_for_an_unknown_model_is_a_bad_body(dense: Sie) -> None:
    assert code(dense.post("/v1/encode/no/such", {})) == (400, "INVALID_INPUT")
