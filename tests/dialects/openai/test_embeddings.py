"""`/v1/embeddings`: OpenAI's shape, its errors, its base64, and token counts that are true."""

import base64
from typing import Any

import httpx
import numpy as np
import pytest

from encoderfile.manifest import PoolingSpec
from encoderfile.service.limits import Limits
from encoderfile.service.service import Service
from support.clients import PATIENCE
from support.controlled_models import Faulty, Gated
from support.dialects import Sie, SieServers, renamed

TEXTS = ["Hello world", "A second text, somewhat longer than the first.", "Zürich 東京 😀"]


def ask(client: Sie, given: Any = "Hello world", **more: Any) -> httpx.Response:
    return client.post("/v1/embeddings", {"model": client.id, "input": given, **more}, {})


def error(response: httpx.Response) -> tuple[int, str, str | None, str]:
    """Status, code, parameter and type of a refusal, whose shape is checked."""
    assert response.headers["content-type"] == "application/json"
    (found,) = response.json().values()
    assert set(found) == {"message", "type", "param", "code"}
    assert found["message"]
    return response.status_code, found["code"], found["param"], found["type"]


@pytest.mark.proves("SIE POST /v1/embeddings", "OpenAI's request and answer")
def test_an_answer_has_openais_shape(dense: Sie) -> None:
    body = ask(dense, TEXTS).json()
    assert set(body) == {"object", "data", "model", "usage"}
    assert (body["object"], body["model"]) == ("list", dense.id)
    assert [each["index"] for each in body["data"]] == [0, 1, 2]
    for each in body["data"]:
        assert set(each) == {"object", "index", "embedding"}
        assert (each["object"], len(each["embedding"])) == ("embedding", 128)


def test_vectors_are_those_of_predict(dense: Sie) -> None:
    truth = [each["embedding"] for each in dense.ready_made(TEXTS)]
    found = [each["embedding"] for each in ask(dense, TEXTS).json()["data"]]
    np.testing.assert_allclose(found, truth, atol=1e-6)


def test_an_embedding_model_gives_its_pooled_vectors(sie: SieServers, dense: Sie) -> None:
    pooled, truth = (ask(client).json()["data"][0]["embedding"] for client in (sie["tokens"], dense))
    np.testing.assert_allclose(pooled, truth, atol=1e-5)


def test_base64_holds_the_same_floats(dense: Sie) -> None:
    listed = ask(dense, encoding_format="float").json()["data"][0]["embedding"]
    packed = ask(dense, encoding_format="base64").json()["data"][0]["embedding"]
    assert np.array_equal(np.frombuffer(base64.b64decode(packed), "<f4"), np.array(listed, dtype=np.float32))


@pytest.mark.proves("SIE POST /v1/embeddings", "usage", here="True token counts; SIE estimates them from characters.")
def test_usage_counts_the_models_own_tokens(sie: SieServers, dense: Sie) -> None:
    tokens = sum(len(each) for each in sie.model("dense").encode(TEXTS))
    assert ask(dense, TEXTS).json()["usage"] == {"prompt_tokens": tokens, "total_tokens": tokens}


@pytest.mark.parametrize(
    ("default", "asked", "text"),
    [
        (None, {}, "a"),
        ("query", {}, "query: a"),
        ("query", {"prompt": ""}, "a"),
        (None, {"prompt_name": "document"}, "passage: a"),
        (None, {"input_type": "query"}, "query: a"),
        (None, {"input_type": "passage"}, "passage: a"),
        (None, {"prompt": "Find: "}, "Find: a"),
    ],
    ids=repr,
)
def test_the_prompt_is_that_of_the_library_or_the_one_asked_for(
    default: str | None, asked: dict[str, str], text: str, own: SieServers, dense: Sie
) -> None:
    prompts = {"query": "query: ", "document": "passage: "}
    prompted = own.serve(renamed(own.model("dense"), prompts=prompts, default_prompt_name=default))
    np.testing.assert_allclose(
        ask(prompted, "a", **asked).json()["data"][0]["embedding"],
        ask(dense, text).json()["data"][0]["embedding"],
        atol=1e-6,
    )


@pytest.mark.parametrize(
    "asked",
    [
        {"prompt_name": "queries"},
        {"input_type": "clustering"},
        {"prompt": 1},
        {"instruction": "Find:"},
        {"task": "retrieval.query"},
        {"embedding_type": "binary"},
        {"truncate": "MIDDLE"},
    ],
)
def test_what_is_not_done_is_refused_and_param_names_it(asked: dict[str, Any], dense: Sie) -> None:
    response = ask(dense, "a", **asked)
    assert response.status_code == 400
    assert response.json()["error"]["param"] == next(iter(asked))


def test_a_long_text_is_refused_where_truncate_is_false(dense: Sie) -> None:
    assert ask(dense, "word " * 600, truncate=False).status_code == 400
    assert ask(dense, "word " * 600, truncate=True).headers["x-truncated-inputs"] == "1"


@pytest.mark.parametrize("extra", [{"user": "u"}, {"zzz": 1}, {"dimensions": 128}, {"dimensions": None}])
def test_fields_that_change_nothing_are_taken(extra: dict[str, Any], dense: Sie) -> None:
    assert ask(dense, **extra).json()["data"] == ask(dense).json()["data"]


def test_an_empty_text_is_answered(dense: Sie) -> None:
    assert ask(dense, "").status_code == 200


def test_the_answer_is_json_whatever_is_asked_for(dense: Sie) -> None:
    headers = {"accept": "application/msgpack"}
    response = dense.post("/v1/embeddings", {"model": dense.id, "input": "a"}, headers)
    assert response.headers["content-type"] == "application/json"


def test_a_long_text_is_truncated_and_the_answer_says_so(dense: Sie) -> None:
    response = ask(dense, "word " * 2000)
    assert response.headers["x-truncated-inputs"] == "1"
    assert response.json()["usage"]["total_tokens"] == 256


def ids_of(text: str, sie: SieServers) -> list[int]:
    """What a client sends that has the model's own tokenizer."""
    return [int(each) for each in sie.model("dense").encode([text])[0].input_ids]


@pytest.mark.parametrize("path", ["/v1/embeddings", "/embeddings"])
def test_token_ids_give_what_their_text_gives(path: str, sie: SieServers, dense: Sie) -> None:
    every = [ids_of(text, sie) for text in TEXTS]
    truth = [each["embedding"] for each in ask(dense, TEXTS).json()["data"]]
    body = dense.post(path, {"input": [every[0], TEXTS[1], every[2]]}).json()
    np.testing.assert_allclose([each["embedding"] for each in body["data"]], truth, atol=1e-6)
    assert (body["model"], body["usage"]["total_tokens"]) == (
        dense.id,
        ask(dense, TEXTS).json()["usage"]["total_tokens"],
    )
    alone = ask(dense, every[0]).json()["data"]
    np.testing.assert_allclose([each["embedding"] for each in alone], truth[:1], atol=1e-6)


@pytest.mark.parametrize("side", ["START", "END"])
def test_long_token_ids_are_truncated_as_their_text_is(side: str, sie: SieServers, dense: Sie) -> None:
    text = " ".join(f"word {number}" for number in range(400))
    special = ids_of("", sie)
    untruncated = sie.model("dense").tokenizer.limited(5000)([text], with_tokens=False)[0].input_ids.tolist()
    assert (untruncated[0], untruncated[-1]) == tuple(special)
    of_text, of_ids = (ask(dense, given, truncate=side) for given in (text, untruncated))
    assert of_text.headers["x-truncated-inputs"] == of_ids.headers["x-truncated-inputs"] == "1"
    vectors = [each.json()["data"][0]["embedding"] for each in (of_text, of_ids)]
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-6)
    assert ask(dense, untruncated, truncate=False).status_code == 400


def test_a_text_is_truncated_on_the_side_that_a_request_names(dense: Sie) -> None:
    start, end = "alpha beta gamma " * 200, "one two three " * 200
    whole, first, last = (
        np.array(ask(dense, *given[:1], **given[1]).json()["data"][0]["embedding"])
        for given in (
            (start + end, {"truncate": "START"}),
            (end, {"truncate": "START"}),
            (start, {"truncate": "END"}),
        )
    )
    np.testing.assert_allclose(whole, first, atol=1e-5)
    assert np.abs(whole - last).max() > 1e-3


@pytest.mark.proves("SIE POST /v1/embeddings", "Works with OpenAI's client and LangChain's")
@pytest.mark.parametrize("given", [[1, 2, 3], [[15339, 1917]], [2, 10**9, 3], [2, -1, 3], [2, 10**18, 3]])
def test_token_ids_of_another_tokenizer_are_refused_with_the_switch_of_the_client(given: Any, dense: Sie) -> None:
    response = ask(dense, given)
    assert error(response) == (400, "invalid_request", "input", "invalid_request_error")
    assert "check_embedding_ctx_length=False" in response.json()["error"]["message"]


@pytest.mark.parametrize("given", [[2, "a"], ["a", 2], [[2, "a"]], [[]], [[2.5]], [True]])
def test_inputs_that_are_neither_texts_nor_lists_of_ids_are_refused(given: Any, dense: Sie) -> None:
    assert ask(dense, given).status_code == 400


def test_a_prompt_is_not_put_before_token_ids(sie: SieServers, dense: Sie) -> None:
    response = ask(dense, [ids_of("a", sie)], prompt="query: ")
    assert response.status_code == 400
    assert "without a prompt" in response.json()["error"]["message"]


def test_more_names_are_taken_as_the_model(own: SieServers, dense: Sie) -> None:
    named = own.serve(
        own.servers.serve(Service(own.model("dense"), Limits(), served_names=["text-embedding-3-small"]))
    )
    truth = ask(dense).json()["data"]
    for model in ("text-embedding-3-small", "org/dense"):
        body = named.post("/v1/embeddings", {"model": model, "input": "Hello world"}).json()
        assert (body["data"], body["model"]) == (truth, model)
    assert named.post("/v1/embeddings", {"model": "other", "input": "a"}).status_code == 404
    listed = named.http.get("/v1/models").json()["data"]
    assert [each["id"] for each in listed] == ["org/dense", "text-embedding-3-small"]


def test_any_model_gives_fewer_dimensions_where_the_server_allows_it(own: SieServers, dense: Sie) -> None:
    allowing = own.serve(own.servers.serve(Service(own.model("dense"), Limits(), allow_dimensions=True)))
    found = np.array(ask(allowing, dimensions=4).json()["data"][0]["embedding"])
    truth = np.array(ask(dense).json()["data"][0]["embedding"])[:4]
    np.testing.assert_allclose(found, truth / np.linalg.norm(truth), atol=1e-6)
    assert error(ask(allowing, dimensions=129)) == (400, "invalid_request", "dimensions", "invalid_request_error")


@pytest.mark.parametrize("given", [[], None, 7, {"text": "a"}, ["a", None]])
def test_input_that_is_not_a_string_is_refused(given: Any, dense: Sie) -> None:
    assert error(ask(dense, given)) == (400, "invalid_request", "input", "invalid_request_error")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"model": "org/dense"}, "input"),
        ({"model": "org/dense", "input": "a", "truncate": 1}, "truncate"),
        ({"model": 1, "input": "a"}, "model"),
        ({"model": "org/dense", "input": "a", "encoding_format": "zz"}, "encoding_format"),
        ({"model": "org/dense", "input": "a", "dimensions": "4"}, "dimensions"),
        ([], None),
    ],
)
def test_a_body_of_the_wrong_shape_is_refused(body: Any, param: str | None, dense: Sie) -> None:
    assert error(dense.post("/v1/embeddings", body)) == (400, "invalid_request", param, "invalid_request_error")


def test_a_body_that_is_not_json_is_refused(dense: Sie) -> None:
    response = dense.http.request("POST", "/v1/embeddings", content=b"{oops")
    assert error(response) == (400, "invalid_request", None, "invalid_request_error")


def test_another_model_is_not_found(dense: Sie) -> None:
    response = dense.post("/v1/embeddings", {"model": "text-embedding-3-small", "input": "a"})
    assert error(response) == (404, "model_not_found", None, "invalid_request_error")


def test_fewer_dimensions_are_refused_of_a_model_that_is_not_made_for_it(dense: Sie) -> None:
    assert error(ask(dense, dimensions=4)) == (400, "unsupported_field", "dimensions", "invalid_request_error")


@pytest.fixture
def matryoshka(own: SieServers) -> Sie:
    return own.serve(renamed(own.model("dense"), matryoshka=True))


def test_a_matryoshka_model_gives_the_beginning_of_its_vectors(matryoshka: Sie, dense: Sie) -> None:
    whole = np.array(ask(dense).json()["data"][0]["embedding"])
    found = np.array(ask(matryoshka, dimensions=32).json()["data"][0]["embedding"])
    np.testing.assert_allclose(found, whole[:32] / np.linalg.norm(whole[:32]), atol=1e-6)


def test_the_beginning_of_vectors_that_the_model_does_not_normalise_is_not_normalised_either(own: SieServers) -> None:
    model = own.model("dense")
    served = own.serve(renamed(model, matryoshka=True, pooling=PoolingSpec(("mean",), normalize=False)))
    whole, found = (np.array(ask(served, dimensions=d).json()["data"][0]["embedding"]) for d in (None, 32))
    assert abs(np.linalg.norm(whole) - 1) > 0.1
    np.testing.assert_allclose(found, whole[:32], atol=1e-6)


@pytest.mark.parametrize("dimensions", [0, -1, 129])
def test_a_matryoshka_model_has_its_limits_too(dimensions: int, matryoshka: Sie) -> None:
    response = ask(matryoshka, dimensions=dimensions)
    assert error(response) == (400, "invalid_request", "dimensions", "invalid_request_error")


def test_only_the_sizes_that_the_model_was_made_for_are_given(own: SieServers) -> None:
    listed = own.serve(renamed(own.model("dense"), matryoshka=True, matryoshka_dimensions=(16, 32)))
    assert len(ask(listed, dimensions=16).json()["data"][0]["embedding"]) == 16
    assert ask(listed, dimensions=128).status_code == 200
    response = ask(listed, dimensions=17)
    assert error(response) == (400, "invalid_request", "dimensions", "invalid_request_error")
    assert "the model is made for 16, 32, 128 dimensions, not for 17" in response.json()["error"]["message"]


@pytest.mark.parametrize("kind", ["labels", "ner", "cross", "sparse"])
def test_a_model_without_dense_vectors_refuses(kind: str, sie: SieServers) -> None:
    assert error(ask(sie[kind])) == (400, "invalid_request", "model", "invalid_request_error")


def test_a_model_that_fails_is_a_server_error(own: SieServers) -> None:
    faulty = own.serve(Faulty(own.model("dense"), run=RuntimeError("secret")))
    response = ask(faulty, "boom")
    assert error(response) == (500, "inference_error", None, "server_error")
    assert "secret" not in response.text


def test_a_full_queue_says_when_to_return(own: SieServers) -> None:
    gated = Gated(own.model("dense"))
    client = own.serve(gated, Limits(max_queue=1))
    try:
        running = client.http.start(["a"])
        gated.wait_until_running()
        waiting = client.http.start(["b"])
        gated.wait_until_encoded(2)
        response = ask(client)
        assert error(response) == (503, "queue_full", None, "server_error")
        assert response.headers["retry-after"] == "1"
    finally:
        gated.open()
    assert running.result(PATIENCE).results
    assert waiting.result(PATIENCE).results


def test_a_wrong_key_is_refused_in_openais_shape(own: SieServers) -> None:
    locked = own.serve(own.model("dense"), api_key="secret")
    assert error(ask(locked)) == (401, "invalid_api_key", None, "invalid_request_error")


def test_models_are_listed_for_openais_clients_too(dense: Sie) -> None:
    body = dense.http.get("/v1/models").json()
    assert body["object"] == "list"
    assert [(each["id"], each["object"]) for each in body["data"]] == [(dense.id, "model")]
