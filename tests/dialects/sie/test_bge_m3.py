"""BGE-M3 over HTTP: any output types from one run, as SIE's page asks for them, and its scores."""

from typing import Any

import numpy as np
import pytest

from support.dialects import MSGPACK, Sie, SieServers, code, unpacked
from support.kinds import KINDS
from support.models import expected

INPUTS = expected(KINDS["bge-m3"])["inputs"]
PAIRS = expected(KINDS["bge-m3"])["pair_scores"]
TEXTS = {f"@{each['id']}": each["text"] for each in INPUTS}


@pytest.fixture(params=["bge-m3", "bge-m3-heads"])
def model(sie: SieServers, request: pytest.FixtureRequest) -> Sie:
    return sie[str(request.param)]


def weights(item: dict[str, Any]) -> dict[str, float]:
    return dict(zip(map(str, item["sparse"]["indices"]), item["sparse"]["values"], strict=True))


def test_all_output_types_are_those_of_the_library(model: Sie) -> None:
    texts = [each["text"] for each in INPUTS]
    items = model.encode(*texts, output_types=["sparse", "multivector", "dense"]).json()["items"]
    for each, item in zip(INPUTS, items, strict=True):
        assert (item["dense"]["dims"], item["sparse"]["dims"], item["multivector"]["token_dims"]) == (48, 1002, 48)
        np.testing.assert_allclose(item["dense"]["values"], each["dense"], atol=1e-5)
        assert weights(item) == pytest.approx(each["sparse"], abs=1e-5)
        assert item["multivector"]["num_tokens"] == len(each["input_ids"]) - 1
        np.testing.assert_allclose(np.array(item["multivector"]["values"])[:, :8], each["colbert_first8"], atol=1e-5)


@pytest.mark.parametrize("kinds", [["dense"], ["sparse"], ["multivector"], ["multivector", "sparse"], None])
def test_what_is_asked_for_is_what_comes_back(model: Sie, kinds: list[str] | None) -> None:
    params = {} if kinds is None else {"output_types": kinds}
    (item,) = model.encode("Hello world!", **params).json()["items"]
    assert set(item) == set(kinds or ["dense"])


def test_the_requests_of_sies_page_are_answered(model: Sie) -> None:
    (item,) = model.post(f"/v1/encode/{model.id}", {"items": [{"text": "Hello, world!"}]}).json()["items"]
    assert set(item) == {"dense"}
    instruction = "Represent this query for retrieval:"
    params = {"output_types": ["dense", "sparse"], "instruction": instruction}
    body = {"items": [{"text": "Search query"}], "params": params}
    (item,) = model.post(f"/v1/encode/{model.id}", body).json()["items"]
    assert set(item) == {"dense", "sparse"}
    (read,) = model.encode(f"{instruction} Search query", output_types=["dense", "sparse"]).json()["items"]
    assert item == read


def test_an_empty_text_has_one_row_and_no_weights(model: Sie) -> None:
    (item,) = model.encode("", output_types=["sparse", "multivector"]).json()["items"]
    assert (item["sparse"]["indices"], item["multivector"]["num_tokens"]) == ([], 1)


def test_normalisation_and_the_type_of_numbers_are_as_asked_for(model: Sie) -> None:
    kinds = ["dense", "sparse", "multivector"]
    (item,) = model.encode("Hello world!", output_types=kinds, output_dtype="float16").json()["items"]
    assert {kind: item[kind]["dtype"] for kind in kinds} == dict.fromkeys(kinds, "float16")
    np.testing.assert_allclose(item["multivector"]["values"], INPUTS[0]["colbert"], atol=1e-3)
    (item,) = model.encode("Hello world!", output_types=kinds, options={"normalize": True}).json()["items"]
    np.testing.assert_allclose(np.linalg.norm(item["multivector"]["values"], axis=1), 1, atol=1e-5)
    assert weights(item) == pytest.approx(INPUTS[0]["sparse"], abs=1e-5)


def test_msgpack_has_arrays_of_each_kind(model: Sie) -> None:
    body = {"items": [{"text": "Hello world!"}], "params": {"output_types": ["sparse", "multivector"]}}
    (item,) = unpacked(model.post(f"/v1/encode/{model.id}", body, {**MSGPACK, "content-type": "application/json"}))[
        "items"
    ]
    assert item["multivector"]["values"].shape == (len(INPUTS[0]["input_ids"]) - 1, 48)
    assert item["sparse"]["indices"].dtype == np.int32


def test_the_list_of_models_has_every_size(model: Sie) -> None:
    (listed,) = model.http.request("GET", "/v1/models").json()["models"]
    assert listed["dims"] == {"dense": 48, "sparse": 1002, "multivector": 48}
    assert listed["outputs"] == ["dense", "sparse", "multivector", "score"]


def test_pairs_are_scored_and_ranked_as_the_library_weighs_them(model: Sie) -> None:
    for (query, passage), wanted in zip(PAIRS["pairs"], PAIRS["colbert+sparse+dense"], strict=True):
        text = TEXTS.get(passage, passage)
        (found,) = model.score(query, text).json()["scores"]
        assert found["score"] == pytest.approx(wanted, abs=1e-5)
        body = {"query": query, "documents": ["another", text], "model": model.id}
        ranked = model.http.request("POST", "/v1/rerank", json=body).json()["results"]
        assert {each["index"]: each["relevance_score"] for each in ranked}[1] == pytest.approx(wanted, abs=1e-5)
        assert [each["relevance_score"] for each in ranked] == sorted(
            (each["relevance_score"] for each in ranked), reverse=True
        )


def test_predict_and_openai_give_the_dense_vector(model: Sie) -> None:
    (found,) = model.ready_made(["Hello world!"])
    assert list(found) == ["embedding"]
    np.testing.assert_allclose(found["embedding"], INPUTS[0]["dense"], atol=1e-5)
    answer = model.http.request("POST", "/v1/embeddings", json={"model": model.id, "input": "Hello world!"})
    np.testing.assert_allclose(answer.json()["data"][0]["embedding"], INPUTS[0]["dense"], atol=1e-5)


def test_a_kind_that_there_is_not_is_refused(model: Sie) -> None:
    status, _ = code(model.encode("a", output_types=["labels"]))
    assert status in (400, 422)
    status, _ = code(model.extract("a"))
    assert status == 400
