"""Extract with models that choose from the labels of the request: options, and texts that are too long."""

from typing import Any

import pytest

from support.dialects import Sie, SieServers, code
from support.kinds import KINDS
from support.models import expected

LABELS = ["positive", "negative"]
LONG = expected(KINDS["gliclass"])["texts"]["long"]


def classifications(response: Any) -> list[tuple[str, float]]:
    assert response.status_code == 200, response.text
    (item,) = response.json()["items"]
    assert item["entities"] == []
    return [(each["label"], each["score"]) for each in item["classifications"]]


@pytest.fixture(params=["gliclass", "gliclass-text-first", "nli"])
def chooses(request: pytest.FixtureRequest, sie: SieServers) -> Sie:
    """Each model that chooses from labels."""
    return sie[request.param]


@pytest.mark.proves("SIE POST /v1/extract/:model", "classifications: label, score")
@pytest.mark.parametrize(
    "options",
    [{"classification_type": "multi-label"}, {"multi_label": True}, {"classification_type": "single-label"}],
)
def test_classifications_are_those_of_predict_best_first(options: dict[str, Any], sie: SieServers) -> None:
    client = sie["gliclass"]
    found = classifications(client.extract("Hello world!", labels=LABELS, options=options))
    several = "single-label" not in options.values()
    (wanted,) = client.http.predict(["Hello world!"], labels=LABELS, multi_label=several).results
    assert found == [(each["label"], each["score"]) for each in wanted["classifications"]]


def test_the_template_of_an_nli_model_is_that_of_sie(sie: SieServers) -> None:
    client = sie["nli"]
    found = classifications(client.extract("Hello world!", labels=LABELS))
    template = "This text is about {}."
    (wanted,) = client.http.predict(["Hello world!"], labels=LABELS, hypothesis_template=template).results
    assert found == [(each["label"], each["score"]) for each in wanted["classifications"]]
    own = client.extract("Hello world!", labels=LABELS, options={"hypothesis_template": "{}"})
    assert classifications(own) != found


def test_a_threshold_is_applied_to_the_scores_of_labels(chooses: Sie) -> None:
    found = classifications(chooses.extract("Hello world!", labels=LABELS, options={"threshold": 0.5}))
    assert [score >= 0.5 for _, score in found] == [True]


@pytest.mark.parametrize("labels", [None, []])
def test_labels_are_needed(labels: Any, chooses: Sie) -> None:
    response = chooses.extract("Hello world!", labels=labels)
    assert code(response) == (400, "INVALID_INPUT")
    assert "params.labels is missing" in response.json()["detail"]["message"]


@pytest.mark.proves(
    "SIE POST /v1/extract/:model", "options.overflow_policy: default, truncate_text, error; INPUT_TOO_LONG"
)
@pytest.mark.parametrize("options", [{}, {"overflow_policy": "default"}, {"overflow_policy": "error"}])
@pytest.mark.parametrize("name", ["gliclass", "gliclass-text-first"])
def test_a_text_over_the_limit_of_a_gliclass_model_is_refused_as_sie_prints_it(
    name: str, options: dict[str, Any], sie: SieServers
) -> None:
    client = sie[name]
    response = client.extract("Hello world!", LONG, labels=LABELS, options=options)
    assert code(response) == (400, "INPUT_TOO_LONG")
    assert response.json()["detail"] == {
        "code": "INPUT_TOO_LONG",
        "message": "Item 1: observed 2413 tokens (text=2395, label_prompt=18) exceeds context cap 96 for "
        f"{client.id}",
        "model": client.id,
    }


@pytest.mark.proves(
    "SIE POST /v1/extract/:model", "options.overflow_policy: default, truncate_text, error; INPUT_TOO_LONG"
)
def test_an_nli_model_refuses_a_long_text_only_when_told(sie: SieServers) -> None:
    client = sie["nli"]
    for policy in ("default", "truncate_text"):
        response = client.extract(LONG, labels=LABELS, options={"overflow_policy": policy})
        assert len(classifications(response)) == 2
        assert response.headers["x-truncated-inputs"] == "1"
    refused = client.extract(LONG, labels=LABELS, options={"overflow_policy": "error"})
    assert code(refused) == (400, "INPUT_TOO_LONG")
    assert "exceeds context cap 64 for org/nli" in refused.json()["detail"]["message"]


@pytest.mark.proves(
    "SIE POST /v1/extract/:model", "options.overflow_policy: default, truncate_text, error; INPUT_TOO_LONG"
)
def test_truncate_text_truncates_the_text_and_keeps_the_labels(sie: SieServers) -> None:
    options = {"overflow_policy": "truncate_text", "multi_label": True}
    for name in ("gliclass", "gliclass-text-first"):
        response = sie[name].extract(LONG, labels=LABELS, options=options)
        assert response.headers["x-truncated-inputs"] == "1"
        scores = dict(classifications(response))
        # Without its labels both had the one score of a label that was left out.
        assert scores["positive"] != scores["negative"]
    left_out = sie["gliclass-text-first"].http.predict([LONG], labels=LABELS, multi_label=True).results[0]
    assert len({each["score"] for each in left_out["classifications"]}) == 1


def test_a_text_that_fits_is_answered_the_same_under_every_policy(chooses: Sie) -> None:
    answers = [
        classifications(chooses.extract("Hello world!", labels=LABELS, options={"overflow_policy": policy}))
        for policy in ("default", "truncate_text", "error")
    ]
    assert answers[0] == answers[1] == answers[2]


def test_labels_that_leave_no_room_cannot_be_kept(chooses: Sie) -> None:
    labels = [f"a rather long label of a class with the number {number}" for number in range(20)]
    if chooses.id == "org/nli":
        labels = [" ".join(labels)]
    response = chooses.extract("Hello world!", labels=labels, options={"overflow_policy": "truncate_text"})
    assert code(response) == (400, "INPUT_TOO_LONG")
    assert response.json()["detail"]["message"].startswith("Item 0: observed ")
