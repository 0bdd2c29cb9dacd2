"""`/v1/embed` and `/v2/embed`: the vectors of `/predict`, in every form that Cohere's clients ask for."""

import base64
from typing import Any

import httpx
import numpy as np
import pytest

from support.dialects import Sie, SieServers, renamed

TEXTS = ["Hello world", "A second text, somewhat longer than the first.", "Zürich 東京 😀"]
PROMPTS = {"query": "query: ", "document": "passage: ", "Clustering": "group: "}
LONG = "first " + "word " * 600 + "last"


def ask(client: Sie, path: str = "/v2/embed", **more: Any) -> httpx.Response:
    body = {"model": client.id, "texts": TEXTS, "input_type": "search_document"}
    return client.post(path, {**body, **more})


def found(client: Sie, path: str = "/v2/embed", **more: Any) -> Any:
    response = ask(client, path, **more)
    assert response.status_code == 200, response.text
    return response.json()["embeddings"]


def message(response: httpx.Response) -> tuple[int, str]:
    """Status and sentence of a refusal, whose shape is checked."""
    assert response.headers["content-type"] == "application/json"
    assert set(response.json()) == {"message"}
    return response.status_code, response.json()["message"]


def truth(client: Sie, texts: list[str] = TEXTS) -> np.ndarray:
    return np.array([each["embedding"] for each in client.ready_made(texts)], dtype=np.float32)


@pytest.mark.parametrize(("path", "version"), [("/v1/embed", "1"), ("/v2/embed", "2")])
def test_an_answer_has_coheres_shape(path: str, version: str, sie: SieServers, dense: Sie) -> None:
    body = ask(dense, path, embedding_types=["float"]).json()
    tokens = sum(len(each) for each in sie.model("dense").encode(TEXTS))
    assert set(body) == {"response_type", "id", "embeddings", "texts", "meta"}
    assert (body["response_type"], body["texts"]) == ("embeddings_by_type", TEXTS)
    assert body["meta"] == {"api_version": {"version": version}, "billed_units": {"input_tokens": tokens}}
    assert body["id"] != ask(dense, path).json()["id"]


def test_without_types_version_1_answers_with_a_list(dense: Sie) -> None:
    body = ask(dense, "/v1/embed").json()
    assert body["response_type"] == "embeddings_floats"
    np.testing.assert_allclose(body["embeddings"], truth(dense), atol=1e-6)


def test_without_types_version_2_answers_with_floats(dense: Sie) -> None:
    assert set(found(dense)) == {"float"}
    np.testing.assert_allclose(found(dense)["float"], truth(dense), atol=1e-6)


def test_an_embedding_model_gives_its_pooled_vectors(sie: SieServers, dense: Sie) -> None:
    np.testing.assert_allclose(found(sie["tokens"])["float"], truth(dense), atol=1e-5)


def test_every_form_is_made_of_the_same_vectors(dense: Sie) -> None:
    kinds = ["float", "int8", "uint8", "binary", "ubinary", "base64"]
    made = found(dense, embedding_types=kinds)
    assert list(made) == kinds
    vectors = np.array(made["float"], dtype=np.float32)
    packed = [np.frombuffer(base64.b64decode(each), "<f4") for each in made["base64"]]
    assert np.array_equal(packed, vectors)
    scaled = np.round(vectors / np.abs(vectors).max(axis=1, keepdims=True) * np.float32(127))
    assert np.array_equal(made["int8"], scaled)
    assert np.array_equal(made["uint8"], scaled + 128)
    bits = np.packbits(vectors > 0, axis=1).astype(int)
    assert np.array_equal(made["ubinary"], bits)
    assert np.array_equal(made["binary"], bits - 128)


def test_a_form_that_is_named_twice_is_made_once(dense: Sie) -> None:
    assert list(found(dense, embedding_types=["int8", "int8"])) == ["int8"]


def test_many_vectors_are_the_same_as_few(dense: Sie) -> None:
    many = found(dense, texts=TEXTS * 40, embedding_types=["float", "int8"])
    few = found(dense, embedding_types=["float", "int8"])
    assert len(many["float"]) == len(many["int8"]) == 120
    np.testing.assert_allclose(many["float"][117:], few["float"], atol=1e-5)


@pytest.mark.parametrize(
    ("input_type", "text"),
    [
        ("search_query", "query: a"),
        ("search_document", "passage: a"),
        ("clustering", "group: a"),
        ("classification", "query: a"),
        (None, "query: a"),
    ],
)
def test_what_texts_are_for_names_the_prompt(input_type: str | None, text: str, own: SieServers, dense: Sie) -> None:
    client = own.serve(renamed(own.model("dense"), prompts=PROMPTS, default_prompt_name="query"))
    vectors = found(client, texts=["a"], input_type=input_type)["float"]
    np.testing.assert_allclose(vectors, truth(dense, [text]), atol=1e-6)


@pytest.mark.parametrize("input_type", ["search_query", "search_document", "clustering", "classification"])
def test_a_model_without_prompts_reads_the_texts_as_they_are(input_type: str, dense: Sie) -> None:
    np.testing.assert_allclose(found(dense, input_type=input_type)["float"], truth(dense), atol=1e-6)


def test_inputs_are_texts_in_another_place(dense: Sie) -> None:
    parts = [{"type": "text", "text": "Hello"}, {"type": "text", "text": "world"}]
    body = ask(dense, texts=None, inputs=[{"content": parts}, {"content": parts[:1]}]).json()
    assert body["texts"] == ["Hello\nworld", "Hello"]
    np.testing.assert_allclose(body["embeddings"]["float"], truth(dense, body["texts"]), atol=1e-6)


@pytest.mark.parametrize(("truncate", "kept"), [("END", "first word"), ("START", "word last")])
def test_a_long_text_is_truncated_on_the_side_that_is_named(truncate: str, kept: str, dense: Sie) -> None:
    response = ask(dense, texts=[LONG], truncate=truncate)
    assert response.headers["x-truncated-inputs"] == "1"
    first, last = kept.split()
    shorter = f"{first} {'word ' * 300}".strip() if truncate == "END" else f"{'word ' * 300}{last}"
    again = found(dense, texts=[shorter], truncate=truncate)["float"]
    np.testing.assert_allclose(response.json()["embeddings"]["float"], again, atol=1e-5)


def test_a_long_text_is_refused_with_truncate_none(dense: Sie) -> None:
    status, sentence = message(ask(dense, texts=["a", LONG], truncate="NONE"))
    assert (status, "texts[1] has more than" in sentence) == (400, True)


def test_fewer_dimensions_are_cut_and_normalised_again(own: SieServers) -> None:
    client = own.serve(renamed(own.model("dense"), matryoshka=True))
    made = found(client, output_dimension=16, embedding_types=["float", "ubinary"])
    whole = truth(client)[:, :16]
    np.testing.assert_allclose(made["float"], whole / np.linalg.norm(whole, axis=1, keepdims=True), atol=1e-6)
    assert np.array_equal(made["ubinary"], np.packbits(whole > 0, axis=1))


def test_limits_that_change_nothing_are_taken(dense: Sie) -> None:
    limit = dense.service.info.max_length
    assert ask(dense, max_tokens=limit, priority=3, images=[], inputs=None).status_code == 200
    longest = max(len(text.encode()) for text in TEXTS) + dense.service.specials
    assert ask(dense, max_tokens=longest).status_code == 200
    assert ask(dense, max_tokens=longest - 1).status_code == 400


@pytest.mark.parametrize("path", ["/v1/embed", "/v2/embed"])
@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"texts": []}, "texts is empty: send at least one"),
        ({"texts": None}, "texts is empty: send at least one"),
        ({"texts": "a"}, "texts should be a list, got a string"),
        ({"texts": [1]}, "texts[0] should be a string, got a number"),
        ({"images": ["data:image/png;base64,AA=="]}, "images cannot be embedded"),
        ({"input_type": "image"}, "input_type should be one of"),
        ({"embedding_types": ["float64"]}, "embedding_types[0] should be one of"),
        ({"truncate": "MIDDLE"}, "truncate should be one of"),
        ({"prompt": "Find: "}, "prompt is not supported here"),
        ({"dimensions": 4}, "dimensions is not supported here"),
        ({"output_dimension": 4}, "output_dimension"),
        ({"max_tokens": 4}, "max_tokens is not supported"),
    ],
    ids=repr,
)
def test_what_cannot_be_done_is_refused_in_coheres_form(
    more: dict[str, Any], words: str, path: str, dense: Sie
) -> None:
    status, sentence = message(ask(dense, path, **more))
    assert (status, words in sentence) == (400, True), sentence


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ([{"content": []}], "inputs[0].content is empty"),
        ([{"content": [{"type": "text"}]}], "inputs[0].content[0] should be a text"),
        ([{"content": [{"type": "image_url", "image_url": {"url": "data:"}}]}], "inputs[0].content[0] should be"),
    ],
    ids=["empty", "no text", "a picture"],
)
def test_an_input_that_is_no_text_is_refused(inputs: Any, words: str, dense: Sie) -> None:
    status, sentence = message(ask(dense, texts=None, inputs=inputs))
    assert (status, words in sentence) == (400, True), sentence


def test_texts_and_inputs_together_are_refused(dense: Sie) -> None:
    status, sentence = message(ask(dense, inputs=[{"content": [{"type": "text", "text": "a"}]}]))
    assert (status, "texts and inputs are given together" in sentence) == (400, True)


@pytest.mark.parametrize("kind", ["labels", "ner", "sparse", "cross"])
@pytest.mark.parametrize("path", ["/v1/embed", "/v2/embed"])
def test_another_kind_of_model_says_what_it_gives(path: str, kind: str, sie: SieServers) -> None:
    status, sentence = message(ask(sie[kind], path))
    assert (status, "does not support dense embeddings: it gives" in sentence) == (400, True)


def test_another_model_is_not_found(dense: Sie) -> None:
    status, sentence = message(ask(dense, model="embed-v4.0"))
    assert (status, "this file serves 'org/dense'" in sentence) == (404, True)


@pytest.mark.parametrize("path", ["/v1/embed", "/v2/embed"])
def test_another_method_is_refused_in_coheres_form(path: str, dense: Sie) -> None:
    assert message(dense.http.get(path))[0] == 405


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_is_not_there_is_not_found_in_coheres_form(method: str, dense: Sie) -> None:
    assert message(dense.http.request(method, "/v2/chat"))[0] == 404


def test_a_full_queue_and_a_stopping_server_say_when_to_return(own: SieServers) -> None:
    with own.full("dense") as client:
        response = ask(client)
        assert (message(response)[0], response.headers["retry-after"]) == (429, "1")
    client.service.ready = False
    response = ask(client)
    assert (message(response)[0], response.headers["retry-after"]) == (503, "1")


def test_a_key_is_asked_for_in_coheres_form(own: SieServers) -> None:
    client = own.serve(own.model("dense"), api_key="secret")
    assert message(ask(client))[0] == 401


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff"])
def test_a_body_that_is_no_object_is_refused(data: bytes, dense: Sie) -> None:
    assert message(dense.http.request("POST", "/v2/embed", content=data))[0] == 400
