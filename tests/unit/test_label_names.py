"""Labels come from config.json and must match what the graph gives."""

from typing import Any

import pytest

from encoderfile.builder.labels import check_labels, labels
from encoderfile.errors import ModelError
from support.payload import manifest
from support.refusals import one_sentence
from support.synthetic import folder


@pytest.mark.parametrize(
    ("config", "found"),
    [
        ({"id2label": {"0": "no", "1": "yes"}}, {0: "no", 1: "yes"}),
        ({"id2label": {"1": "yes", "0": "no"}}, {0: "no", 1: "yes"}),
        ({"id2label": {str(i): f"L{i}" for i in range(11)}}, {i: f"L{i}" for i in range(11)}),
        ({"id2label": {"0": 1}}, {0: "1"}),
        ({"num_labels": 3}, {0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2"}),
        ({}, {0: "LABEL_0", 1: "LABEL_1"}),
    ],
    ids=["named", "out of order", "more than ten", "a number", "counted", "neither"],
)
def test_labels_are_in_the_order_of_the_graphs_columns(config: dict[str, Any], found: dict[int, str]) -> None:
    named = labels(folder(config=config))
    assert list(named.items()) == list(found.items())


@pytest.mark.parametrize(
    ("config", "origin"),
    [
        ({"id2label": {"0": "no", "1": "yes"}}, "2 labels in id2label"),
        ({"id2label": {}}, "0 labels in id2label"),
        ({"num_labels": 5}, "num_labels 5"),
        ({}, "no id2label (which means 2 labels)"),
    ],
)
def test_a_wrong_number_of_labels_is_refused_with_both_counts(config: dict[str, Any], origin: str) -> None:
    model = folder(config=config)
    with pytest.raises(ModelError) as refusal:
        check_labels(model, manifest(id2label=labels(model), width=3))
    assert one_sentence(refusal.value) == (
        f"config.json has {origin}, the graph gives 3 logits: "
        "correct id2label in config.json or export the model again"
    )


@pytest.mark.parametrize(
    "raw", [["no", "yes"], "no", {"a": "no", "b": "yes"}, {"1": "no", "2": "yes"}, {"0": "no", "2": "yes"}], ids=repr
)
def test_labels_of_another_form_are_refused(raw: object) -> None:
    with pytest.raises(ModelError) as refusal:
        labels(folder(config={"id2label": raw}))
    assert one_sentence(refusal.value) == "id2label in config.json should map 0, 1, 2 ... to names: correct it"
