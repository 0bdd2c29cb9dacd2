"""Clients of other projects, unchanged, and a built file: what they read is what `./FILE infer` says.

Their versions are pinned in this folder; `make clients` installs them and runs this.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clients.harness import Served, run
from clients.table import CLIENTS, REFUSED, Client

TEXTS = ["Maria Schmidt flew to Oslo.", "It was wonderful.", "A dreadful film."]
QUERY = "Who flew?"
CLOSE = {"rtol": 0.0, "atol": 1e-4}


def _texts(served: Served, client: Client) -> list[dict[str, Any]]:
    return served.infer(client.serves, [{"text": text} for text in TEXTS])


def _vectors(served: Served, client: Client) -> np.ndarray:
    return np.array([each["embedding"] for each in _texts(served, client)])


def check_vectors(found: Any, served: Served, client: Client) -> None:
    np.testing.assert_allclose(found, _vectors(served, client), **CLOSE)


def check_similarities(found: Any, served: Served, client: Client) -> None:
    vectors = _vectors(served, client)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(found, unit[1:] @ unit[0], **CLOSE)


def check_sparse(found: Any, served: Served, client: Client) -> None:
    for (indices, values), vector in zip(found, _vectors(served, client), strict=True):
        assert indices == np.flatnonzero(vector).tolist()
        np.testing.assert_allclose(values, vector[indices], **CLOSE)


def check_ranks(found: Any, served: Served, client: Client) -> None:
    scores = served.scores(client.serves, QUERY, TEXTS)
    assert [int(index) for index, _ in found] == sorted(range(len(TEXTS)), key=lambda index: -scores[index])
    np.testing.assert_allclose([score for _, score in found], sorted(scores, reverse=True), **CLOSE)


def check_beginnings(found: Any, served: Served, client: Client) -> None:
    beginnings = _vectors(served, client)[:, : len(found[0])]
    np.testing.assert_allclose(found, beginnings / np.linalg.norm(beginnings, axis=1, keepdims=True), **CLOSE)


def check_topics(found: Any, served: Served, client: Client) -> None:
    truth = served.infer(client.serves, [{"text": text} for text in TEXTS], "--labels", "travel,film")
    for labels, each in zip(found, truth, strict=True):
        assert [label for label, _ in labels] == [one["label"] for one in each["classifications"]]
        scores = [one["score"] for one in each["classifications"]]
        np.testing.assert_allclose([score for _, score in labels], scores, **CLOSE)


def check_spans(found: Any, served: Served, client: Client) -> None:
    truth = served.infer(client.serves, [{"text": text} for text in TEXTS], "--labels", "person,location")
    assert any(found)
    assert found == [[pytest.approx(one, abs=1e-4) for one in each["entities"]] for each in truth]


def check_labels(found: Any, served: Served, client: Client) -> None:
    for labels, truth in zip(found, _texts(served, client), strict=True):
        assert labels[0][0] == truth["predicted_label"]
        np.testing.assert_allclose([score for _, score in labels], sorted(truth["scores"], reverse=True), **CLOSE)


def check_entities(found: Any, served: Served, client: Client) -> None:
    for entities, truth in zip(found, _texts(served, client), strict=True):
        named = [each for each in truth["tokens"] if each["label"] != "O"]
        for label, start, end, score in entities:
            inside = [each for each in named if start <= each["token_info"]["start"] < end]
            assert {each["label"].partition("-")[2] for each in inside} == {label}
            np.testing.assert_allclose(score, np.mean([each["score"] for each in inside]), **CLOSE)
            named = [each for each in named if each not in inside]
        assert named == []


CHECKS: dict[str, Callable[[Any, Served, Client], None]] = {
    "vectors": check_vectors,
    "similarities": check_similarities,
    "sparse": check_sparse,
    "ranks": check_ranks,
    "beginnings": check_beginnings,
    "topics": check_topics,
    "spans": check_spans,
    "labels": check_labels,
    "entities": check_entities,
}
"""By the name under which a script prints what it read."""


def _read(answer: dict[str, Any]) -> tuple[str, Any]:
    """What a script printed, and under which name; tools for a shell print the answer as it came."""
    if "data" in answer:
        return "vectors", [each["embedding"] for each in answer["data"]]
    answer = answer.get("structuredContent", answer)
    if "results" in answer:
        return "vectors", [each["embedding"] for each in answer["results"]]
    [found] = answer.items()
    return found


def _arguments(client: Client) -> list[str]:
    return [QUERY, *TEXTS] if client.shows.startswith("reranking") and not client.refused else TEXTS


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: f"{client.script}-{client.serves}")
def test_the_client_reads_what_the_file_says(client: Client, served: Served, environments: Path | None) -> None:
    answers = run(environments, client, served, *_arguments(client))
    assert answers
    for answer in answers:
        what, found = _read(answer)
        CHECKS[what](found, served, client)


@pytest.mark.parametrize("client", REFUSED, ids=lambda client: client.script)
def test_a_client_that_is_refused_says_what_the_model_can_do(
    client: Client, served: Served, environments: Path | None
) -> None:
    [answer] = run(environments, client, served, *_arguments(client))
    kind, message = answer["refused"]
    assert kind
    assert client.refused in message
