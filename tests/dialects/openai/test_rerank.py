"""`/rerank`: the body of Cohere and Jina, and that of text-embeddings-inference, over the same scores."""

from typing import Any

import pytest

from support.dialects import Sie, SieServers

TEXTS = ["It rains.", "Machines learn from data.", "Cats sleep a lot, and dogs do not."]


def scores(cross: Sie) -> list[tuple[int, float]]:
    """What the SIE dialect says: position and score, best first."""
    ranked = cross.score("What learns?", *TEXTS).json()["scores"]
    return [(int(each["item_id"].removeprefix("item-")), each["score"]) for each in ranked]


@pytest.mark.parametrize("path", ["/rerank", "/v1/rerank"])
@pytest.mark.parametrize("documents", [TEXTS, [{"text": text} for text in TEXTS]], ids=["texts", "objects"])
def test_documents_come_back_as_results_best_first(path: str, documents: list[Any], cross: Sie) -> None:
    body = cross.post(path, {"model": cross.id, "query": "What learns?", "documents": documents}).json()
    assert {"id", "model", "results", "usage"} <= set(body)
    assert [(each["index"], each["relevance_score"]) for each in body["results"]] == scores(cross)
    assert body["usage"]["total_tokens"] > 0


def test_the_best_few_with_their_documents(cross: Sie) -> None:
    asked = {"query": "What learns?", "documents": TEXTS, "top_n": 1, "return_documents": True}
    (result,) = cross.post("/v1/rerank", asked).json()["results"]
    best = scores(cross)[0][0]
    assert (result["index"], result["document"]) == (best, {"text": TEXTS[best]})


@pytest.mark.parametrize("path", ["/rerank", "/v1/rerank"])
def test_texts_come_back_as_a_list_best_first(path: str, cross: Sie) -> None:
    found = cross.post(path, {"query": "What learns?", "texts": TEXTS}).json()
    assert [(each["index"], each["score"]) for each in found] == scores(cross)
    assert all(set(each) == {"index", "score"} for each in found)


def test_raw_scores_are_the_models_logits_in_the_same_order(cross: Sie) -> None:
    found = cross.post("/rerank", {"query": "What learns?", "texts": TEXTS, "raw_scores": True, "return_text": True})
    assert [each["index"] for each in found.json()] == [index for index, _ in scores(cross)]
    for each in found.json():
        assert each["text"] == TEXTS[each["index"]]
        logit = cross.http.predict(["x"]).results[0]["logits"]
        assert len(logit) == 1


def test_voyages_word_for_the_best_few_is_taken(cross: Sie) -> None:
    asked = {"query": "What learns?", "documents": TEXTS, "top_k": 2, "truncation": True, "rank_fields": ["text"]}
    assert len(cross.post("/rerank", asked).json()["results"]) == 2


@pytest.mark.parametrize(
    "more",
    [
        {"max_chunks_per_doc": 10},
        {"rank_fields": ["title"]},
        {"max_tokens_per_doc": 0},
        {"truncation_direction": "Middle"},
        {"instruction": "Find"},
        {"prompt_name": "query"},
        {"raw_scores": "yes"},
        {"return_documents": 1},
    ],
)
@pytest.mark.parametrize("texts", ["documents", "texts"])
def test_a_known_field_that_is_not_done_is_refused_by_name(texts: str, more: dict[str, Any], cross: Sie) -> None:
    response = cross.post("/rerank", {"query": "q", texts: ["a"], **more})
    assert response.status_code == 422
    assert next(iter(more)) in response.json()["error"]


def test_a_long_document_is_refused_where_truncate_is_false(cross: Sie) -> None:
    body = {"query": "q", "documents": ["a", "word " * 600], "truncate": False}
    assert cross.post("/rerank", body).status_code == 422
    assert cross.post("/rerank", {**body, "truncate": True}).headers["x-truncated-inputs"] == "1"


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"query": "q"},
        {"query": 1, "documents": ["a"]},
        {"query": "q", "documents": []},
        {"query": "q", "documents": "a"},
        {"query": "q", "documents": [1]},
        {"query": "q", "documents": ["a"], "top_n": 0},
        {"query": "q", "documents": ["a"], "top_n": "1"},
    ],
)
def test_a_body_of_the_wrong_shape_is_refused(body: Any, cross: Sie) -> None:
    response = cross.post("/rerank", body)
    assert response.status_code == 422
    found = response.json()
    assert found["message"] == found["error"]
    assert found["message"].startswith("Invalid input: ")
    assert found["error_type"] == "Validation"


def test_another_model_is_not_found(cross: Sie) -> None:
    response = cross.post("/rerank", {"model": "other", "query": "q", "documents": ["a"]})
    assert (response.status_code, "this file serves 'org/cross'" in response.json()["message"]) == (404, True)


@pytest.mark.parametrize("kind", ["dense", "labels", "ner"])
def test_only_a_cross_encoder_ranks(kind: str, sie: SieServers) -> None:
    assert sie[kind].post("/rerank", {"query": "q", "documents": ["a"]}).status_code == 422


def test_a_stopping_server_says_when_to_return(own: SieServers) -> None:
    client = own.serve(own.model("cross"))
    client.service.ready = False
    response = client.post("/rerank", {"query": "q", "documents": ["a"]})
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert response.json()["error_type"] == "Backend"
