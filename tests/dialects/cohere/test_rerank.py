"""`/v1/rerank` and `/v2/rerank`, and the answer that suits the clients of all who have such a route."""

from typing import Any

import pytest

from support.dialects import Sie, SieServers

TEXTS = ["It rains.", "Machines learn from data.", "Cats sleep a lot, and dogs do not."]
PATHS = ["/rerank", "/v1/rerank", "/v2/rerank"]


def ranked(client: Sie, path: str, documents: Any = TEXTS, **more: Any) -> Any:
    response = client.post(path, {"model": client.id, "query": "What learns?", "documents": documents, **more})
    assert response.status_code == 200, response.text
    return response.json()


def scores(client: Sie, texts: list[str] = TEXTS) -> list[tuple[int, float]]:
    """What the SIE dialect says: position and score, best first."""
    found = client.score("What learns?", *texts).json()["scores"]
    return [(int(each["item_id"].removeprefix("item-")), each["score"]) for each in found]


def pairs(body: Any) -> list[tuple[int, float]]:
    return [(each["index"], each["relevance_score"]) for each in body["results"]]


@pytest.mark.parametrize("path", PATHS)
def test_results_are_the_scores_best_first(path: str, cross: Sie) -> None:
    body = ranked(cross, path)
    assert pairs(body) == scores(cross)
    assert all(set(each) == {"index", "relevance_score"} for each in body["results"])
    assert body["model"] == cross.id
    assert body["id"] != ranked(cross, path)["id"]


@pytest.mark.parametrize(("path", "version"), [("/v1/rerank", "1"), ("/v2/rerank", "2")])
def test_cohere_counts_searches_of_a_hundred_documents(path: str, version: str, cross: Sie) -> None:
    for count, units in ((1, 1), (100, 1), (101, 2)):
        meta = ranked(cross, path, ["a"] * count)["meta"]
        assert meta == {"api_version": {"version": version}, "billed_units": {"search_units": units}}


def test_voyages_clients_find_the_results_in_data(cross: Sie) -> None:
    body = ranked(cross, "/v1/rerank", top_k=2, truncation=True)
    assert body["data"] == body["results"]
    assert len(body["data"]) == 2
    assert body["usage"]["total_tokens"] > 0


@pytest.mark.parametrize("path", ["/v1/rerank", "/v2/rerank"])
def test_a_text_comes_back_as_an_object(path: str, cross: Sie) -> None:
    for each in ranked(cross, path, return_documents=True)["results"]:
        assert each["document"] == {"text": TEXTS[each["index"]]}


def test_infinitys_clients_get_a_text_back_as_they_sent_it(cross: Sie) -> None:
    body = ranked(cross, "/rerank", return_documents=True, raw_scores=False)
    assert body["object"] == "rerank"
    for each in body["results"]:
        assert each["document"] == TEXTS[each["index"]]


@pytest.mark.parametrize("path", PATHS)
def test_an_object_comes_back_with_all_its_fields(path: str, cross: Sie) -> None:
    documents = [{"text": text, "id": index} for index, text in enumerate(TEXTS)]
    body = ranked(cross, path, documents, return_documents=True)
    assert pairs(body) == scores(cross)
    for each in body["results"]:
        assert each["document"] == documents[each["index"]]


def test_rank_fields_say_what_is_read_of_an_object_and_in_which_order(cross: Sie) -> None:
    documents = [{"title": "Rain", "text": "It rains.", "year": 7}, {"text": "Machines learn."}]
    body = ranked(cross, "/v1/rerank", documents, rank_fields=["text", "title", "text"])
    assert pairs(body) == scores(cross, ["It rains. Rain", "Machines learn."])


@pytest.mark.parametrize("path", PATHS)
def test_the_best_few_are_given(path: str, cross: Sie) -> None:
    assert pairs(ranked(cross, path, top_n=1)) == scores(cross)[:1]
    assert len(ranked(cross, path, top_n=99)["results"]) == 3


def test_limits_that_change_nothing_are_taken(cross: Sie) -> None:
    limit = cross.service.info.max_length
    assert pairs(ranked(cross, "/v2/rerank", max_tokens_per_doc=limit, priority=1)) == scores(cross)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"documents": []}, "documents is empty"),
        ({"documents": [1]}, "documents[0] should be"),
        ({"documents": ["a", {"title": "b"}]}, "the field documents[1].text is missing"),
        ({"documents": [{"text": 1}]}, "documents[0].text should be a string"),
        ({"documents": [{"text": "a"}], "rank_fields": ["title"]}, "the field documents[0].title is missing"),
        ({"rank_fields": ["title"]}, "rank_fields are fields of objects, and documents[0] is a string"),
        ({"rank_fields": ["a"] * 65}, "rank_fields should hold at most 64"),
        ({"max_chunks_per_doc": 10}, "max_chunks_per_doc is not supported here"),
        ({"max_tokens_per_doc": 0}, "max_tokens_per_doc is not supported below"),
        ({"top_n": 0}, "top_n should be at least 1"),
        ({"query": None}, "query should be a string"),
        ({"instruction": "Find"}, "instruction is not supported here"),
    ],
    ids=repr,
)
def test_what_cannot_be_done_is_refused_in_the_form_of_the_route(
    more: dict[str, Any], words: str, cross: Sie
) -> None:
    body = {"query": "q", "documents": ["a"], **more}
    refused = cross.post("/v2/rerank", body)
    assert (refused.status_code, set(refused.json())) == (400, {"message"})
    assert words in refused.json()["message"]
    shared = cross.post("/v1/rerank", body)
    assert (shared.status_code, set(shared.json())) == (422, {"message", "error", "error_type"})
    assert shared.json()["message"] == refused.json()["message"]


@pytest.mark.parametrize(
    ("kind", "has"), [("dense", "; this one gives dense"), ("labels", "this one has 2"), ("ner", "this one has 7")]
)
def test_another_kind_of_model_says_what_it_is_and_what_it_would_have_to_be(
    kind: str, has: str, sie: SieServers
) -> None:
    refused = sie[kind].post("/v2/rerank", {"query": "q", "documents": ["a"]})
    assert refused.status_code == 400
    assert "does not support scoring: that takes" in refused.json()["message"]
    assert refused.json()["message"].endswith(has)


def test_too_many_documents_are_refused_before_they_are_read(cross: Sie) -> None:
    documents = [{}] * (cross.service.limits.max_inputs + 1)
    refused = cross.post("/v2/rerank", {"query": "q", "documents": documents})
    assert (refused.status_code, "inputs per request" in refused.json()["message"]) == (400, True)


@pytest.mark.parametrize("path", PATHS)
def test_another_model_is_not_found(path: str, cross: Sie) -> None:
    refused = cross.post(path, {"model": "rerank-v3.5", "query": "q", "documents": ["a"]})
    assert (refused.status_code, "this file serves 'org/cross'" in refused.json()["message"]) == (404, True)
