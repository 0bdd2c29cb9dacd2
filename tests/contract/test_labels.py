"""Models that choose from the labels of a request, over every wire: the library's answers, and what is refused."""

from typing import Any

import pytest

from encoderfile.errors import Kind
from support.kinds import KINDS
from support.model_types import folder_of
from support.models import expected
from support.servers import Connect

TOLERANCE = 1e-5


def same(result: dict[str, Any], labels: list[str], scores: list[float]) -> None:
    found = result["classifications"]
    assert [each["label"] for each in found] == labels
    assert [each["score"] for each in found] == pytest.approx(scores, abs=TOLERANCE)


def test_a_gliclass_model_answers_every_case_as_its_package(connect: Connect) -> None:
    client, truth = connect("gliclass"), expected(KINDS["gliclass"])
    cases = [case for case in truth["cases"] if truth["texts"][case["text_id"]]]  # an empty text is refused
    for case in cases:
        several = case["classification_type"] == "multi-label"
        (result,) = client.predict(
            [truth["texts"][case["text_id"]]],
            labels=truth["label_sets"][case["labels_id"]],
            multi_label=several,
            threshold=case["threshold"] if several else 0.0,
        ).results
        wanted = sorted(case["result"], key=lambda each: -each["score"])
        if not several:  # the package gives the best one alone
            result["classifications"] = result["classifications"][:1]
        same(result, [each["label"] for each in wanted], [each["score"] for each in wanted])


@pytest.mark.parametrize("several", [False, True])
def test_an_nli_model_answers_every_case_as_transformers(several: bool, connect: Connect) -> None:
    client, truth = connect("nli-zero-shot"), expected(folder_of("nli-zero-shot")[0])
    cases = [case for case in truth["cases"] if case["multi_label"] == several]
    for asked in dict.fromkeys((case["labels_id"], case["template_id"]) for case in cases):
        of_these = [case for case in cases if (case["labels_id"], case["template_id"]) == asked]
        labels = truth["label_sets"][asked[0]]
        if isinstance(labels, str) and connect.way == "grpc":
            labels = [label.strip() for label in labels.split(",")]  # a message has no other form
        results = client.predict(
            [truth["texts"][case["text_id"]] for case in of_these],
            labels=labels,
            multi_label=several,
            hypothesis_template=truth["templates"][asked[1]],
        ).results
        for case, result in zip(of_these, results, strict=True):
            same(result, case["labels"], case["scores"])


def test_labels_are_missing_in_one_sentence(connect: Connect) -> None:
    client = connect("gliclass")
    sentence = "labels is empty: send at least one label"
    assert client.refusal(["a"], labels=[]) == client.says(Kind.INVALID_ARGUMENT, f"Invalid input: {sentence}")


def test_a_field_that_only_the_other_kind_has_is_refused(connect: Connect) -> None:
    _, sentence = connect("gliclass").refusal(["a"], hypothesis_template="{}")
    assert "hypothesis_template" in sentence
    client = connect("nli-zero-shot")
    said = "a zero_shot_classification model takes no prompt: leave it out"
    assert client.refusal(["a"], prompt="What is it?") == client.says(Kind.INVALID_ARGUMENT, f"Invalid input: {said}")


def test_a_pair_is_refused(connect: Connect) -> None:
    if connect.way == "grpc":
        return  # its message has no field for one
    _, sentence = connect("nli-zero-shot").refusal([{"text": "a", "text_pair": "b"}])
    assert "is a text pair" in sentence


def test_labels_without_end_are_bounded(connect: Connect) -> None:
    client = connect("gliclass")
    (result,) = client.predict(["a text"], labels=["word " * 100_000, "b"]).results
    assert len(result["classifications"]) == 2
    _, sentence = client.refusal(["a text"], labels=["a"] * 1001)
    assert sentence == "Invalid input: at most 1000 labels per request, got 1001: send fewer"
    _, sentence = connect("nli-zero-shot").refusal(["a text"], labels=["word " * 100_000])
    assert sentence == "Invalid input: inputs[0] has no room beside the labels: send fewer labels, or shorter ones"
    _, sentence = connect("nli-zero-shot").refusal(["a text"] * 17, labels=["a"] * 1000)
    assert sentence.startswith("Invalid input: the inputs take more than 16384 runs of the model together")
