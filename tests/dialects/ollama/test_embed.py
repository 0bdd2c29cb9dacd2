"""`/api/embed` and `/api/embeddings`: vectors as Ollama gives them, and its errors."""

from typing import Any

import httpx
import numpy as np
import pytest

from encoderfile.manifest import PoolingSpec
from encoderfile.service.limits import Limits
from encoderfile.service.service import Service
from support.dialects import Sie, SieServers, renamed

TEXTS = ["Hello world", "A second text, somewhat longer than the first.", "Zürich 東京 😀"]
LONG = "word " * 600


def ask(client: Sie, given: Any = "Hello world", **more: Any) -> httpx.Response:
    return client.post("/api/embed", {"model": client.id, "input": given, **more})


def error(response: httpx.Response) -> tuple[int, str]:
    """Status and sentence of a refusal, whose shape is checked."""
    assert response.headers["content-type"] == "application/json"
    assert set(response.json()) == {"error"}
    return response.status_code, response.json()["error"]


def plain(client: Sie, texts: list[str] = TEXTS) -> Any:
    return np.array([each["embedding"] for each in client.ready_made(texts)])


def units(vectors: Any) -> Any:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


@pytest.fixture
def unnormalised(own: SieServers) -> Sie:
    """A client of a model whose vectors are of any length."""
    return own.serve(renamed(own.model("dense"), pooling=PoolingSpec(("mean",), normalize=False)))


def test_an_answer_has_ollamas_shape(sie: SieServers, dense: Sie) -> None:
    body = ask(dense, TEXTS).json()
    assert list(body) == ["model", "embeddings", "total_duration", "load_duration", "prompt_eval_count"]
    assert body["model"] == dense.id
    assert body["prompt_eval_count"] == sum(len(each) for each in sie.model("dense").encode(TEXTS))
    assert body["total_duration"] > 0
    np.testing.assert_allclose(body["embeddings"], plain(dense), atol=1e-6)


def test_one_text_is_a_list_of_one(dense: Sie) -> None:
    np.testing.assert_allclose(ask(dense, TEXTS[0]).json()["embeddings"], plain(dense, TEXTS[:1]), atol=1e-6)


def test_vectors_have_unit_length_whatever_the_model_does(unnormalised: Sie) -> None:
    vectors = plain(unnormalised)
    assert np.abs(np.linalg.norm(vectors, axis=1) - 1).min() > 0.01
    np.testing.assert_allclose(ask(unnormalised, TEXTS).json()["embeddings"], units(vectors), atol=1e-6)


def test_the_older_route_gives_the_models_own_vector(unnormalised: Sie) -> None:
    body = unnormalised.post("/api/embeddings", {"model": unnormalised.id, "prompt": TEXTS[0]}).json()
    assert list(body) == ["embedding"]
    np.testing.assert_allclose(body["embedding"], plain(unnormalised, TEXTS[:1])[0], atol=1e-6)


def test_fewer_dimensions_are_cut_and_normalised_again(own: SieServers) -> None:
    client = own.serve(renamed(own.model("dense"), matryoshka=True))
    found = ask(client, TEXTS, dimensions=16).json()["embeddings"]
    np.testing.assert_allclose(found, units(plain(client)[:, :16]), atol=1e-6)
    assert len(ask(client, dimensions=0).json()["embeddings"][0]) == 128


@pytest.mark.parametrize("given", [None, "", []], ids=repr)
def test_no_text_has_no_vector(given: Any, dense: Sie) -> None:
    assert ask(dense, given).json()["embeddings"] == []
    assert ask(dense, given).json()["prompt_eval_count"] == 0


def test_no_prompt_has_an_empty_vector(dense: Sie) -> None:
    assert dense.post("/api/embeddings", {"model": dense.id}).json() == {"embedding": []}


def test_long_texts_are_truncated_unless_the_request_says_otherwise(dense: Sie) -> None:
    assert ask(dense, LONG).headers["x-truncated-inputs"] == "1"
    assert ask(dense, LONG, truncate=True).headers["x-truncated-inputs"] == "1"
    status, sentence = error(ask(dense, LONG, truncate=False))
    assert (status, "has more than" in sentence) == (400, True)


def test_options_of_text_generation_change_nothing(dense: Sie) -> None:
    options = {"temperature": 0.5, "top_k": 3, "seed": 1, "num_ctx": dense.service.info.max_length}
    found = ask(dense, TEXTS, options=options, keep_alive="5m").json()["embeddings"]
    np.testing.assert_allclose(found, plain(dense), atol=1e-6)


def test_names_may_have_the_tag_latest(own: SieServers) -> None:
    names = ["nomic-embed-text", "e5:small"]
    client = own.serve(own.servers.serve(Service(own.model("dense"), Limits(), served_names=names)))
    for name in ("org/dense", "org/dense:latest", "nomic-embed-text", "nomic-embed-text:latest", "e5:small"):
        assert ask(client, model=name).json()["model"] == name
    for name in ("e5", "e5:latest", "org/dense:v2", "latest", ":latest"):
        status, sentence = error(ask(client, model=name))
        assert (status, sentence) == (404, f'model "{name}" not found: this file serves "org/dense"')


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"input": 1}, "input should be"),
        ({"input": [1]}, "input[0] should be a string"),
        ({"model": None}, "model should be a string"),
        ({"truncate": "END"}, "truncate should be true or false"),
        ({"dimensions": 4}, "the model gives 128 dimensions"),
        ({"dimensions": -1}, "the model gives 128 dimensions"),
        ({"options": {"num_ctx": 8}}, "options.num_ctx is not supported below"),
        ({"options": {"num_ctx": "8"}}, "options.num_ctx should be a whole number"),
        ({"options": []}, "options should be an object"),
        ({"input_type": "query"}, "input_type is not supported here"),
        ({"normalize": False}, "normalize is not supported here"),
    ],
    ids=repr,
)
def test_what_cannot_be_done_is_refused_in_ollamas_form(more: dict[str, Any], words: str, dense: Sie) -> None:
    status, sentence = error(ask(dense, **more))
    assert (status, words in sentence) == (400, True), sentence


@pytest.mark.parametrize("kind", ["labels", "ner", "sparse", "cross"])
@pytest.mark.parametrize(("path", "text"), [("/api/embed", "input"), ("/api/embeddings", "prompt")])
def test_another_kind_of_model_says_what_it_gives(path: str, text: str, kind: str, sie: SieServers) -> None:
    status, sentence = error(sie[kind].post(path, {"model": sie[kind].id, text: "a"}))
    assert (status, "does not support dense embeddings: it gives" in sentence) == (400, True)


@pytest.mark.parametrize("path", ["/api/chat", "/api/generate"])
def test_text_generation_is_refused_with_what_the_model_gives(path: str, dense: Sie) -> None:
    status, sentence = error(dense.post(path, {"model": dense.id, "prompt": "a", "messages": []}))
    what = path.removeprefix("/api/")
    assert status == 400
    assert f'"org/dense" does not support {what}: it gives one vector per text' in sentence
    assert error(dense.post(path, {"model": "llama3"}))[0] == 404


@pytest.mark.parametrize("path", ["/api/pull", "/api/nothing"])
def test_what_is_not_there_is_not_found_in_ollamas_form(path: str, dense: Sie) -> None:
    assert error(dense.post(path, {"model": "a"}))[0] == 404


def test_a_full_queue_and_a_stopping_server_say_when_to_return(own: SieServers) -> None:
    with own.full("dense") as client:
        response = ask(client)
        assert (error(response)[0], response.headers["retry-after"]) == (503, "1")
    client.service.ready = False
    assert error(ask(client))[0] == 503


def test_a_key_is_asked_for_in_ollamas_form(own: SieServers) -> None:
    client = own.serve(own.model("dense"), api_key="secret")
    assert error(ask(client))[0] == error(client.http.get("/api/tags"))[0] == 401


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff"])
@pytest.mark.parametrize("path", ["/api/embed", "/api/embeddings", "/api/show", "/api/chat"])
def test_a_body_that_is_no_object_is_refused(path: str, data: bytes, dense: Sie) -> None:
    assert error(dense.http.request("POST", path, content=data))[0] == 400
