"""Labels, logits and scores against PyTorch's, alone and in one batch with all the others."""

import dataclasses
from pathlib import Path

import pytest

from encoderfile import tasks
from encoderfile.tasks.sequence_classification import SequenceLabels
from encoderfile.tasks.token_classification import TokenLabels
from support.models import expected
from support.truth import COMPANY, REFERENCE, Entry, close, folders, truth

SEQUENCE = folders("sequence_classification")
TOKEN = folders("token_classification")
ALL = [
    *[(folder, "sequence_classification") for folder in SEQUENCE.values()],
    *[(folder, "token_classification") for folder in TOKEN.values()],
]


def real(entry: Entry, field: str) -> list[object]:
    """The values of the tokens that are no special ones."""
    return [value for value, special in zip(entry[field], entry["special_tokens_mask"], strict=True) if not special]


@pytest.mark.proves("ENC POST /predict, sequence_classification", "`predicted_label` is its label")
@pytest.mark.parametrize(("folder", "model_type"), ALL, ids=[*SEQUENCE, *TOKEN])
def test_the_labels_are_named_as_the_model_names_them(folder: Path, model_type: str) -> None:
    found = truth(folder, model_type).manifest.id2label
    assert found is not None
    assert {str(index): label for index, label in found.items()} == expected(folder)["id2label"]


@pytest.mark.proves(
    "ENC POST /predict, sequence_classification",
    "`logits` are the model's own outputs",
    "`predicted_index` is the class with the highest score",
)
@pytest.mark.parametrize("folder", SEQUENCE.values(), ids=SEQUENCE)
def test_a_text_gets_the_label_of_the_reference(folder: Path) -> None:
    served = truth(folder, "sequence_classification")
    for entry, result in zip(served.entries, served.alone, strict=True):
        assert isinstance(result, SequenceLabels)
        close(result.logits, entry["logits"], REFERENCE, entry["id"])
        close(result.scores, entry["softmax"], REFERENCE, entry["id"])
        assert result.predicted_label == entry["label"]
        assert served.manifest.id2label is not None
        assert served.manifest.id2label[result.predicted_index] == entry["label"]


@pytest.mark.proves("ENC POST /predict, sequence_classification", "`scores` are their softmax and sum to 1")
@pytest.mark.parametrize("folder", SEQUENCE.values(), ids=SEQUENCE)
def test_a_multi_label_model_scores_each_label_on_its_own(folder: Path) -> None:
    served = truth(folder, "sequence_classification")
    task = tasks.create(dataclasses.replace(served.manifest, multi_label=True))
    for entry, result in zip(served.entries, served.alone, strict=True):
        (scored,) = task.postprocess(result.logits[None, :], [served.encode(entry)], None)  # type: ignore[arg-type]
        close(scored.scores, entry["sigmoid"], REFERENCE, entry["id"])


@pytest.mark.parametrize("folder", SEQUENCE.values(), ids=SEQUENCE)
def test_a_label_in_a_batch_is_the_same_as_alone(folder: Path) -> None:
    served = truth(folder, "sequence_classification")
    for entry, alone, together in zip(served.entries, served.alone, served.together, strict=True):
        close(together.logits, alone.logits, COMPANY, entry["id"])
        close(together.scores, alone.scores, COMPANY, entry["id"])
        assert together.predicted_label == alone.predicted_label


@pytest.mark.proves(
    "ENC POST /predict, token_classification",
    "`logits` are the model's own outputs",
    "`label` is the predicted label",
)
@pytest.mark.parametrize("folder", TOKEN.values(), ids=TOKEN)
def test_every_token_gets_the_label_of_the_reference(folder: Path) -> None:
    served = truth(folder, "token_classification")
    for entry, result in zip(served.entries, served.alone, strict=True):
        assert isinstance(result, TokenLabels)
        assert [token.token for token in result.tokens] == real(entry, "tokens")
        assert [[token.start, token.end] for token in result.tokens] == real(entry, "offsets")
        assert list(result.labels) == real(entry, "labels")
        if not result.tokens:  # white space alone: special tokens and nothing else
            assert result.logits.shape == (0, len(expected(folder)["id2label"]))
            continue
        close(result.logits, real(entry, "logits"), REFERENCE, entry["id"])
        close(result.score, real(entry, "scores"), REFERENCE, entry["id"])
        close(result.scores.max(axis=1), real(entry, "scores"), REFERENCE, entry["id"])
        close(result.scores.sum(axis=1), [1.0] * len(result.tokens), REFERENCE, entry["id"])


@pytest.mark.parametrize("folder", TOKEN.values(), ids=TOKEN)
def test_a_token_label_in_a_batch_is_the_same_as_alone(folder: Path) -> None:
    served = truth(folder, "token_classification")
    for entry, alone, together in zip(served.entries, served.alone, served.together, strict=True):
        assert together.tokens == alone.tokens
        assert together.labels == alone.labels
        close(together.logits, alone.logits, COMPANY, entry["id"])
