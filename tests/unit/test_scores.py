"""From logits to scores: softmax over labels, sigmoid where labels do not exclude each other."""

import math
from typing import Any

import numpy as np
import pytest

from encoderfile import tasks
from encoderfile.errors import ModelError
from encoderfile.tasks.numerics import sigmoid, softmax, unit
from encoderfile.tasks.results import to_json
from encoderfile.tasks.sequence_classification import SequenceLabels
from encoderfile.tasks.token_classification import TokenLabels
from encoderfile.types import EncodedText, TokenInfo
from support.payload import manifest

LOGITS = np.array([[1.0, -2.0, 3.5], [0.0, 0.0, 0.0], [500.0, -500.0, 0.0]], dtype=np.float32)


def encoded(*special: int) -> EncodedText:
    ids = np.arange(len(special), dtype=np.int64)
    tokens = tuple(TokenInfo(f"t{index}", index, index, index + 1) for index in range(len(special)))
    return EncodedText(ids, ids * 0, np.array(special, dtype=np.int64), tokens, False)


def sequence(labels: tuple[str, ...] = ("a", "b", "c"), **changes: Any) -> tasks.Task[SequenceLabels]:
    return tasks.create(manifest(model_type="sequence_classification", id2label=dict(enumerate(labels)), **changes))


def score(task: tasks.Task[SequenceLabels], logits: np.ndarray) -> list[SequenceLabels]:
    return task.postprocess(logits, [encoded(1, 0, 1)] * len(logits), np.ones((len(logits), 3), dtype=np.float32))


@pytest.mark.proves("ENC POST /predict, sequence_classification", "`scores` are their softmax and sum to 1")
def test_softmax_is_what_the_formula_says() -> None:
    for row, scores in zip(LOGITS, softmax(LOGITS), strict=True):
        shifted = [math.exp(float(value) - float(max(row))) for value in row]
        np.testing.assert_allclose(scores, [value / sum(shifted) for value in shifted], rtol=1e-6, atol=1e-45)


def test_sigmoid_is_what_the_formula_says_also_where_exp_would_overflow() -> None:
    found = sigmoid(np.array([-1000.0, -20.0, -1.0, 0.0, 1.0, 20.0, 1000.0], dtype=np.float32))
    wanted = [0.0, *[1 / (1 + math.exp(-x)) for x in (-20.0, -1.0, 0.0, 1.0, 20.0)], 1.0]
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


@pytest.mark.parametrize("function", [softmax, sigmoid, unit])
def test_scores_are_float32_and_leave_their_input_alone(function: Any) -> None:
    before = LOGITS.copy()
    assert function(LOGITS).dtype == np.float32
    np.testing.assert_array_equal(LOGITS, before)


def test_unit_vectors_have_length_one_and_zero_stays_zero() -> None:
    vectors = np.array([[3.0, 4.0], [0.0, 0.0], [1e30, 1e30], [1e-20, 0.0]], dtype=np.float32)
    found = unit(vectors)
    np.testing.assert_allclose(found[:3], [[0.6, 0.8], [0.0, 0.0], [2**-0.5, 2**-0.5]], rtol=1e-6)
    assert np.isfinite(found).all()


def test_unit_works_on_the_last_axis_whatever_stands_before_it() -> None:
    vectors = np.arange(1, 25, dtype=np.float32).reshape(2, 3, 4)
    np.testing.assert_allclose(np.linalg.norm(unit(vectors), axis=-1), np.ones((2, 3)), rtol=1e-6)


def test_one_of_several_labels_is_scored_by_softmax() -> None:
    for result, logits in zip(score(sequence(), LOGITS), LOGITS, strict=True):
        np.testing.assert_array_equal(result.logits, logits)
        np.testing.assert_allclose(result.scores, softmax(logits), rtol=1e-6)
        assert result.scores.sum() == pytest.approx(1)
    assert [result.predicted_label for result in score(sequence(), LOGITS)] == ["c", "a", "a"]
    assert [result.predicted_index for result in score(sequence(), LOGITS)] == [2, 0, 0]


def test_labels_that_do_not_exclude_each_other_are_scored_one_by_one() -> None:
    for result, logits in zip(score(sequence(multi_label=True), LOGITS), LOGITS, strict=True):
        np.testing.assert_allclose(result.scores, sigmoid(logits), rtol=1e-6)
    assert score(sequence(multi_label=True), LOGITS)[0].predicted_label == "c"


def test_a_single_logit_is_scored_by_sigmoid() -> None:
    (result,) = score(sequence(("relevant",)), np.array([[1.0]], dtype=np.float32))
    assert result.scores.tolist() == [pytest.approx(1 / (1 + math.exp(-1)))]
    assert (result.predicted_index, result.predicted_label) == (0, "relevant")


@pytest.mark.parametrize("labels", [("a", "b", "c"), ("a",)], ids=len)
def test_the_values_of_a_regression_are_told_as_they_are(labels: tuple[str, ...]) -> None:
    logits = LOGITS[:, : len(labels)]
    for result, row in zip(score(sequence(labels, regression=True), logits), logits, strict=True):
        np.testing.assert_array_equal(result.scores, row)
        assert result.predicted_index == row.argmax()


def test_scores_of_a_regression_do_not_keep_the_batch_in_memory() -> None:
    (first, *_) = score(sequence(regression=True), LOGITS)
    assert not np.shares_memory(first.scores, LOGITS)


def test_the_rows_of_a_fixed_batch_beyond_the_texts_are_ignored() -> None:
    task = sequence()
    assert len(task.postprocess(LOGITS, [encoded(1, 0, 1)], np.ones((1, 3), dtype=np.float32))) == 1


@pytest.mark.parametrize("model_type", ["sequence_classification", "token_classification"])
def test_a_classifier_without_labels_is_refused(model_type: str) -> None:
    with pytest.raises(ModelError, match=rf"a {model_type} model needs labels \(id2label in config.json\)"):
        tasks.create(manifest(model_type=model_type, id2label=None))


def test_a_token_gets_its_own_label_and_special_ones_get_none() -> None:
    task: tasks.Task[TokenLabels] = tasks.create(
        manifest(model_type="token_classification", id2label={0: "O", 1: "B"})
    )
    output = np.zeros((2, 5, 2), dtype=np.float32)
    output[0, 1] = [0, 4]
    output[0, 2] = [3, 0]
    output[1, 1] = [0, 1]
    mask = np.array([[1, 1, 1, 1, 0], [1, 1, 1, 0, 0]], dtype=np.float32)
    first, second = task.postprocess(output, [encoded(1, 0, 0, 1), encoded(1, 0, 1)], mask)
    assert [token.token for token in first.tokens] == ["t1", "t2"]
    assert first.labels == ("B", "O")
    np.testing.assert_array_equal(first.logits, [[0, 4], [3, 0]])
    np.testing.assert_allclose(first.scores, softmax(first.logits), rtol=1e-6)
    np.testing.assert_allclose(first.score, first.scores.max(axis=1), rtol=1e-6)
    assert second.labels == ("B",)


def test_a_text_of_special_tokens_alone_has_no_labels() -> None:
    task: tasks.Task[TokenLabels] = tasks.create(
        manifest(model_type="token_classification", id2label={0: "O", 1: "B"})
    )
    (result,) = task.postprocess(
        np.zeros((1, 2, 2), dtype=np.float32), [encoded(1, 1)], np.ones((1, 2), dtype=np.float32)
    )
    assert (result.tokens, result.labels, len(result.scores), len(result.score)) == ((), (), 0, 0)
    assert to_json(result) == {"tokens": []}


def test_token_labels_that_do_not_exclude_each_other_are_scored_one_by_one() -> None:
    task: tasks.Task[TokenLabels] = tasks.create(
        manifest(model_type="token_classification", id2label={0: "O", 1: "B"}, multi_label=True)
    )
    output = np.array([[[1.0, 2.0]]], dtype=np.float32)
    (result,) = task.postprocess(output, [encoded(0)], np.ones((1, 1), dtype=np.float32))
    np.testing.assert_allclose(result.scores, sigmoid(output[0]), rtol=1e-6)
    np.testing.assert_allclose(result.score, sigmoid(output[0])[:, 1], rtol=1e-6)


def test_a_model_type_of_a_newer_builder_is_named() -> None:
    with pytest.raises(ModelError, match="the model type poetry is not known to encoderfile"):
        tasks.create(manifest(model_type="poetry"))
