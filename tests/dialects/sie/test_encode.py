"""Encode: what is asked for is what comes back, in order, under its own name."""

from typing import Any

import numpy as np
import pytest

from support.dialects import Sie, SieServers, code, renamed, unpacked
from support.models import MODELS, expected

TEXTS = ["Hello world", "A second text, somewhat longer than the first.", "Zürich 東京 😀"]


@pytest.mark.proves(
    "SIE POST /v1/encode/:model",
    "items: required, a list of items with a text; one result each",
    "dense: dims, dtype, values",
)
def test_dense_vectors_are_those_of_predict(dense: Sie) -> None:
    truth = [each["embedding"] for each in dense.ready_made(TEXTS)]
    np.testing.assert_allclose(dense.vectors("dense", *TEXTS), truth, atol=1e-6)


@pytest.mark.proves("SIE POST /v1/encode/:model", "The answer has model, items and timing")
def test_an_answer_has_model_items_and_timing_and_nothing_more(dense: Sie) -> None:
    body = dense.encode("Hello world").json()
    assert set(body) == {"model", "items", "timing"}
    assert body["model"] == dense.id
    (item,) = body["items"]
    assert set(item) == {"dense"}
    assert set(item["dense"]) == {"dims", "dtype", "values"}
    assert (item["dense"]["dims"], item["dense"]["dtype"], len(item["dense"]["values"])) == (128, "float32", 128)
    assert set(body["timing"]) == {"total_ms", "queue_ms", "tokenization_ms", "inference_ms", "postprocessing_ms"}


@pytest.mark.proves("SIE POST /v1/encode/:model", "item.id is echoed")
def test_ids_are_echoed_and_never_invented(dense: Sie) -> None:
    body = {"items": [{"id": "d1", "text": "a"}, {"text": "b"}, {"id": None, "text": "c"}, {"id": "", "text": "d"}]}
    items = dense.post(f"/v1/encode/{dense.id}", body).json()["items"]
    assert [item.get("id", "none") for item in items] == ["d1", "none", "none", ""]


def test_one_text_alone_and_in_a_batch_has_the_same_vector(dense: Sie) -> None:
    together = dense.vectors("dense", *TEXTS)
    alone = [dense.vectors("dense", text)[0] for text in TEXTS]
    np.testing.assert_allclose(together, alone, atol=1e-4)


def test_an_empty_text_is_answered(sie: SieServers) -> None:
    for kind, output in (("dense", "dense"), ("tokens", "multivector"), ("sparse", "sparse")):
        assert np.isfinite(sie[kind].vectors(output, "")[0]).all()


@pytest.mark.proves("SIE POST /v1/encode/:model", "dense: dims, dtype, values")
def test_dense_vectors_of_an_embedding_model_are_its_pooled_token_vectors(sie: SieServers, dense: Sie) -> None:
    np.testing.assert_allclose(sie["tokens"].vectors("dense", *TEXTS), dense.vectors("dense", *TEXTS), atol=1e-5)


@pytest.mark.proves("SIE POST /v1/encode/:model", "multivector: token_dims, num_tokens, dtype, values")
def test_multivectors_hold_one_unit_vector_per_token(sie: SieServers) -> None:
    tokens = sie["tokens"]
    item = tokens.encode("Hello world", output_types=["multivector"]).json()["items"][0]["multivector"]
    values = np.array(item["values"])
    assert (item["token_dims"], item["num_tokens"], item["dtype"]) == (128, len(values), "float32")
    np.testing.assert_allclose(np.linalg.norm(values, axis=1), 1, atol=1e-5)
    truth = tokens.http.predict(["Hello world"], normalize=True).results[0]["embeddings"]
    np.testing.assert_allclose(values, [each["embedding"] for each in truth], atol=1e-6)


@pytest.mark.proves(
    "SIE POST /v1/encode/:model", "params.output_types: dense, sparse, multivector; dense when left out"
)
def test_several_outputs_come_in_one_answer(sie: SieServers) -> None:
    item = sie["tokens"].encode("a", output_types=["dense", "multivector"]).json()["items"][0]
    assert set(item) == {"dense", "multivector"}


@pytest.mark.proves("SIE POST /v1/encode/:model", "sparse: dims (the vocabulary), dtype, indices, values")
def test_sparse_vectors_are_the_weights_of_the_reference(sie: SieServers) -> None:
    truth = [each for each in expected(MODELS / "bert-mlm")["inputs"] if each["max_length"] == 64]
    truth = [each for each in truth if each["text_pair"] is None]
    response = sie["sparse"].encode(*(each["text"] for each in truth), output_types=["sparse"])
    for item, each in zip(response.json()["items"], truth, strict=True):
        sparse = item["sparse"]
        weights = dict(zip(sparse["indices"], sparse["values"], strict=True))
        assert sparse["dims"] == 1200
        assert sparse["indices"] == sorted(weights)
        for index, weight in each["splade_top"]:
            assert abs(weights[index] - weight) < 1e-4


@pytest.mark.proves(
    "SIE POST /v1/encode/:model", "params.output_types: dense, sparse, multivector; dense when left out"
)
def test_a_sparse_model_gives_sparse_vectors_when_nothing_is_said(sie: SieServers) -> None:
    assert set(sie["sparse"].encode("a").json()["items"][0]) == {"sparse"}


@pytest.mark.proves("SIE POST /v1/encode/:model", "sparse: dims (the vocabulary), dtype, indices, values")
def test_sparse_indices_are_int32_in_msgpack(sie: SieServers) -> None:
    sparse = sie["sparse"]
    body = {"items": [{"text": "a"}], "params": {"output_types": ["sparse"]}}
    found = unpacked(sparse.post(f"/v1/encode/{sparse.id}", body, {}))["items"][0]["sparse"]
    assert (found["indices"].dtype.str, found["values"].dtype.str) == ("<i4", "<f4")
    assert (np.diff(found["indices"]) > 0).all()


@pytest.mark.proves(
    "SIE POST /v1/encode/:model", "params.output_types: dense, sparse, multivector; dense when left out"
)
@pytest.mark.parametrize(
    ("kind", "types"),
    [("dense", ["sparse"]), ("dense", ["dense", "multivector"]), ("sparse", ["dense"]), ("tokens", ["sparse"])],
)
def test_an_output_that_the_model_does_not_have_is_refused(kind: str, types: list[str], sie: SieServers) -> None:
    assert code(sie[kind].encode("a", output_types=types)) == (400, "INVALID_INPUT")


@pytest.mark.proves(
    "SIE POST /v1/encode/:model", "params.output_types: dense, sparse, multivector; dense when left out"
)
@pytest.mark.parametrize("types", [["foo"], ["score"], "dense", [1], ["dense", None]])
def test_an_output_that_nobody_knows_is_refused(types: Any, dense: Sie) -> None:
    assert code(dense.encode("a", output_types=types)) == (400, "INVALID_INPUT")


@pytest.mark.proves(
    "SIE POST /v1/encode/:model",
    "params.output_types: dense, sparse, multivector; dense when left out",
    here="Left out, a model that has only sparse vectors gives those.",
)
@pytest.mark.parametrize("types", [None, [], ["dense", "dense"]])
def test_dense_is_the_output_when_none_is_named(types: Any, dense: Sie) -> None:
    assert set(dense.encode("a", output_types=types).json()["items"][0]) == {"dense"}


@pytest.mark.parametrize("kind", ["labels", "ner", "cross"])
def test_a_model_of_labels_encodes_nothing(kind: str, sie: SieServers) -> None:
    assert code(sie[kind].encode("a")) == (400, "INVALID_INPUT")


@pytest.mark.proves("SIE POST /v1/encode/:model", "params.instruction: a prefix for the text")
def test_an_instruction_stands_before_the_text(dense: Sie) -> None:
    (instructed,) = dense.vectors("dense", "a", instruction="Find:")
    np.testing.assert_allclose(instructed, dense.vectors("dense", "Find: a")[0], atol=1e-6)


@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_texts_of_a_purpose_that_takes_another_part_of_the_model_are_refused(kind: str, own: SieServers) -> None:
    served = own.serve(renamed(own.model(kind), other_routes=("query",)))
    refused = served.encode("a", output_types=[kind], options={"is_query": True})
    assert code(refused) == (400, "INVALID_INPUT")
    assert "no vectors for texts of the purpose query" in refused.text
    for options in ({}, {"is_query": False}):
        assert served.encode("a", output_types=[kind], options=options).status_code == 200


@pytest.fixture
def prompted(own: SieServers) -> Sie:
    return own.serve(renamed(own.model("dense"), prompts={"query": "query: ", "document": "passage: "}))


@pytest.mark.proves("SIE POST /v1/encode/:model", "params.options: profile, LoRA, runtime options")
def test_the_models_own_prompts_are_used_for_queries_and_documents(prompted: Sie, dense: Sie) -> None:
    for is_query, text in ((True, "query: a"), (False, "passage: a")):
        asked = prompted.vectors("dense", "a", options={"is_query": is_query})[0]
        np.testing.assert_allclose(asked, dense.vectors("dense", text)[0], atol=1e-6)
        beside = prompted.vectors("dense", "a", is_query=is_query)[0]
        np.testing.assert_allclose(beside, asked, atol=1e-6)


@pytest.mark.parametrize(("default", "text"), [(None, "a"), ("query", "query: a")])
def test_a_request_without_params_gets_what_predict_gives(
    default: str | None, text: str, own: SieServers, dense: Sie
) -> None:
    prompts = {"query": "query: ", "document": "passage: "}
    client = own.serve(renamed(own.model("dense"), prompts=prompts, default_prompt_name=default))
    np.testing.assert_allclose(client.vectors("dense", "a")[0], dense.vectors("dense", text)[0], atol=1e-6)
    # A template says all that the model reads.
    filled = client.vectors("dense", "a", options={"doc_template": "{text}"})[0]
    np.testing.assert_allclose(filled, dense.vectors("dense", "a")[0], atol=1e-6)


@pytest.mark.parametrize(
    "params",
    [
        {"prompt_name": "query"},
        {"dimensions": 3},
        {"truncate": True},
        {"options": {"instruction": "Find"}},
        {"options": {"output_dtype": "int8"}},
    ],
)
def test_known_fields_in_the_wrong_place_are_refused_by_name(params: dict[str, Any], dense: Sie) -> None:
    response = dense.encode("a", **params)
    assert code(response) == (400, "INVALID_INPUT")
    (field,) = params.get("options", params)
    assert f"{field} is not supported here" in response.json()["detail"]["message"]


@pytest.mark.proves("SIE POST /v1/encode/:model", "params.instruction: a prefix for the text")
def test_an_instruction_takes_the_place_of_the_models_prompt(prompted: Sie, dense: Sie) -> None:
    instructed = prompted.vectors("dense", "a", instruction="Find:", options={"is_query": True})[0]
    np.testing.assert_allclose(instructed, dense.vectors("dense", "Find: a")[0], atol=1e-6)


@pytest.mark.proves("SIE POST /v1/encode/:model", "params.options: profile, LoRA, runtime options")
def test_templates_are_filled_in_once(dense: Sie) -> None:
    options = {"is_query": True, "query_template": "{instruction} for {text}: {", "doc_template": "no"}
    filled = dense.vectors("dense", "{instruction} {x}", instruction="Look", options=options)[0]
    np.testing.assert_allclose(filled, dense.vectors("dense", "Look for {instruction} {x}: {")[0], atol=1e-6)


@pytest.mark.proves("SIE POST /v1/encode/:model", "params.options: profile, LoRA, runtime options")
def test_vectors_are_normalised_when_asked(sie: SieServers) -> None:
    raw = sie["tokens"].vectors("dense", "a", options={"normalize": False})[0]
    unit = sie["tokens"].vectors("dense", "a", options={"normalize": True})[0]
    np.testing.assert_allclose(unit, raw / np.linalg.norm(raw), atol=1e-6)
    assert abs(np.linalg.norm(raw) - 1) > 0.01


@pytest.mark.proves(
    "SIE POST /v1/encode/:model",
    "params.options: profile, LoRA, runtime options",
    here="One profile, default, and no LoRA; another is refused with 400.",
)
@pytest.mark.proves(
    "SIE Errors", "LORA_LOADING, 503, and DEPENDENCY_CONFLICT, 409", here="Never: there is nothing to load."
)
@pytest.mark.parametrize(
    "options",
    [
        {"profile": "nope"},
        {"lora_id": "x/y"},
        {"lora": "x/y"},
        {"muvera": {}},
        {"pooling": "cls"},
        {"max_seq_length": 9},
        {"is_query": "yes"},
        {"normalize": 1},
    ],
)
def test_options_that_cannot_be_followed_are_refused(options: dict[str, Any], dense: Sie) -> None:
    assert code(dense.encode("a", options=options)) == (400, "INVALID_INPUT")


@pytest.mark.proves("SIE POST /v1/encode/:model", "params.options: profile, LoRA, runtime options")
@pytest.mark.parametrize("options", [None, {}, {"profile": "default"}, {"lora_id": None}, {"temperature": 3}])
def test_options_that_change_nothing_are_taken(options: Any, dense: Sie) -> None:
    assert dense.encode("a", options=options).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"items": [{"text": "a", "zzz": 1}], "foo": 1, "params": {"bar": 2}},
        {"items": [{"text": "a"}], "params": None},
        {"items": [{"text": "a", "metadata": {"k": [1]}, "images": None}]},
        {"items": [{"text": "a", "images": []}]},
    ],
)
def test_unknown_and_empty_fields_are_ignored(body: dict[str, Any], dense: Sie) -> None:
    assert dense.post(f"/v1/encode/{dense.id}", body).status_code == 200


@pytest.mark.proves("SIE POST /v1/encode/:model", "items: required, a list of items with a text; one result each")
@pytest.mark.proves("SIE Errors", "INVALID_INPUT, 400")
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"items": []},
        {"items": None},
        {"items": {"text": "a"}},
        {"items": ["x"]},
        {"items": [{"text": 1}]},
        {"items": [{"text": None}]},
        {"items": [{"id": "a"}]},
        {"items": [{"id": 7, "text": "a"}]},
        {"items": [{"text": "a", "images": "x"}]},
        {"items": [{"text": "a", "images": [{"data": "eA==", "format": "png"}]}]},
        {"items": [{"text": "a", "audio": {"data": "eA=="}}]},
        {"items": [{"text": "a"}], "params": "x"},
        {"items": [{"text": "a"}], "params": {"options": []}},
        {"items": [{"text": "a"}], "params": {"instruction": 1}},
    ],
)
def test_a_body_of_the_wrong_shape_is_refused(body: dict[str, Any], dense: Sie) -> None:
    assert code(dense.post(f"/v1/encode/{dense.id}", body)) == (400, "INVALID_INPUT")


@pytest.mark.proves(
    "SIE POST /v1/encode/:model",
    "item.images: images with a format hint",
    here="A text model refuses images with 400; SIE ignores them.",
)
def test_an_image_for_a_text_model_is_told_so(dense: Sie) -> None:
    body = {"items": [{"text": "a", "images": [{"data": "eA==", "format": "png"}]}]}
    message = dense.post(f"/v1/encode/{dense.id}", body).json()["detail"]["message"]
    assert message == "Invalid input: items[0] has images, and this model reads text alone"


def test_a_long_text_is_truncated_and_the_answer_says_so(dense: Sie) -> None:
    response = dense.encode("word " * 2000, "short")
    assert response.headers["x-truncated-inputs"] == "1"
    assert np.isfinite(np.array(response.json()["items"][0]["dense"]["values"])).all()


def test_many_requests_at_once_get_their_own_answers(dense: Sie) -> None:
    texts = [f"text number {number}" for number in range(64)]
    truth = [each["embedding"] for each in dense.ready_made(texts)]

    async def all_at_once() -> list[Any]:
        import asyncio

        async def one(text: str) -> Any:
            body = {"items": [{"text": text}]}
            sent = await dense.http.http.post(
                f"/v1/encode/{dense.id}", json=body, headers={"accept": "application/json"}
            )
            return sent.json()["items"][0]["dense"]["values"]

        return await asyncio.gather(*(one(text) for text in texts))

    np.testing.assert_allclose(dense.http.portal.call(all_at_once), truth, atol=1e-4)


def test_a_template_may_hold_the_text_twice(dense: Sie) -> None:
    options = {"doc_template": "{text} and {text}"}
    np.testing.assert_allclose(
        dense.vectors("dense", "Hello", options=options), dense.vectors("dense", "Hello and Hello"), atol=1e-6
    )


@pytest.mark.parametrize(
    ("params", "items"),
    [
        ({"options": {"doc_template": "{text}" * 16_000}}, [{"text": "x" * 90_000}]),
        ({"options": {"doc_template": "{instruction}" * 16_000}, "instruction": "x" * 90_000}, [{"text": "a"}]),
        ({"instruction": "x" * 1_000_000}, [{"text": "a"}] * 2000),
    ],
    ids=["text", "instruction in a template", "instruction"],
)
def test_a_small_body_that_would_become_a_large_one_is_refused(
    dense: Sie, params: dict[str, Any], items: list[dict[str, str]]
) -> None:
    answer = dense.post(f"/v1/encode/{dense.id}", {"items": items, "params": params})
    assert answer.status_code == 400
    assert "at most 4194304 characters per request, prompts and templates filled in, got " in answer.text
