"""Infinity's `/classify` and `/models`, and what its clients send to `/embeddings` and `/rerank`."""

from typing import Any

import httpx
import numpy as np
import pytest

from support.clients import exact
from support.dialects import Sie, SieServers

TEXTS = ["I love it", "I hate it", "It is a table"]
UNNAMED = "default/not-specified"


def classify(client: Sie, given: Any = TEXTS, **more: Any) -> httpx.Response:
    return client.post("/classify", {"input": given, "model": client.id, **more})


def fault(response: httpx.Response) -> tuple[int, str, str | None]:
    """Status, sentence and field of a refusal, whose shape is checked."""
    assert set(response.json()) == {"error"}
    found = response.json()["error"]
    assert set(found) == {"message", "type", "param", "code"}
    assert found["code"] == response.status_code
    return response.status_code, found["message"], found["param"]


def test_every_label_of_a_text_is_scored_best_first(sie: SieServers) -> None:
    client = sie["labels"]
    body = classify(client).json()
    assert list(body) == ["object", "id", "created", "model", "data", "usage"]
    assert (body["object"], body["model"]) == ("classify", client.id)
    assert body["usage"]["total_tokens"] == sum(len(each) for each in sie.model("labels").encode(TEXTS))
    for row, truth in zip(exact(body["data"]), client.ready_made(TEXTS), strict=True):
        assert [each["score"] for each in row] == sorted(truth["scores"], reverse=True)
        assert row[0]["label"] == truth["predicted_label"]
        assert len(row) == len(truth["scores"])


def test_raw_scores_are_the_logits(sie: SieServers) -> None:
    client = sie["labels"]
    for row, truth in zip(
        exact(classify(client, raw_scores=True).json()["data"]), client.ready_made(TEXTS), strict=True
    ):
        assert [each["score"] for each in row] == sorted(truth["logits"], reverse=True)


@pytest.mark.parametrize("kind", ["dense", "ner", "sparse", "gliclass"])
def test_another_kind_of_model_says_what_it_gives(kind: str, sie: SieServers) -> None:
    status, sentence, _ = fault(classify(sie[kind]))
    assert (status, "is no classifier of texts: it gives" in sentence) == (400, True)


@pytest.mark.parametrize(
    ("more", "field"),
    [({"input": []}, "input"), ({"input": "a"}, "input"), ({"raw_scores": 1}, "raw_scores"), ({"top_k": 1}, "top_k")],
    ids=repr,
)
def test_a_body_of_the_wrong_shape_is_refused_in_infinitys_form(
    more: dict[str, Any], field: str, sie: SieServers
) -> None:
    status, sentence, named = fault(classify(sie["labels"], **more))
    assert (status, named, field in sentence) == (422, field, True)


def test_another_model_is_not_found(sie: SieServers) -> None:
    assert fault(classify(sie["labels"], model="other"))[0] == 404


def test_a_full_queue_says_when_to_return(own: SieServers) -> None:
    with own.full("labels") as client:
        response = classify(client)
        assert (fault(response)[0], response.headers["retry-after"]) == (429, "1")


def test_a_client_that_names_no_model_is_answered(sie: SieServers) -> None:
    assert classify(sie["labels"], model=UNNAMED).status_code == 200
    ranking = {"query": "q", "documents": ["a"], "model": UNNAMED, "raw_scores": False, "return_documents": False}
    assert sie["cross"].post("/rerank", ranking).status_code == 200


def test_infinitys_body_of_embeddings_is_answered(dense: Sie) -> None:
    body = {"input": TEXTS, "model": UNNAMED, "encoding_format": "float", "dimensions": 0, "modality": "text"}
    response = dense.post("/embeddings", body)
    assert response.status_code == 200, response.text
    found = [each["embedding"] for each in response.json()["data"]]
    truth = [each["embedding"] for each in dense.ready_made(TEXTS)]
    np.testing.assert_allclose(found, truth, atol=1e-6)
    assert dense.post("/embeddings", {**body, "modality": "image"}).status_code == 400


@pytest.mark.parametrize(
    ("kind", "able"), [("dense", ["embed"]), ("cross", ["rerank", "classify"]), ("labels", ["classify"]), ("ner", [])]
)
def test_the_model_is_listed_with_what_it_can_do(kind: str, able: list[str], sie: SieServers) -> None:
    body = sie[kind].http.get("/models").json()
    (model,) = body["data"]
    assert (body["object"], model["id"], model["capabilities"]) == ("list", sie[kind].id, able)
    assert set(model["stats"]) == {"queue_fraction", "queue_absolute", "results_pending", "batch_size"}
