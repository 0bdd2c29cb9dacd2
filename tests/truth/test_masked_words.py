"""An export that predicts masked words: right tokens, and no model type that serves it."""

import pytest
from support.models import checked, folders_with_truth

from encoderfile.errors import ModelError
from encoderfile.types import ModelType

MASKED = folders_with_truth()["bert-mlm"]


def test_a_model_of_masked_words_is_refused_with_the_export_that_helps() -> None:
    with pytest.raises(ModelError) as refusal:
        checked(MASKED)
    assert str(refusal.value) == (
        "BertForMaskedLM predicts masked words, which no model type serves: "
        "export the encoder with `--task feature-extraction`"
    )


@pytest.mark.parametrize(
    ("model_type", "words"),
    [
        (
            ModelType.EMBEDDING,
            "the model type embedding needs last_hidden_state [batch, tokens, hidden], the graph gives logits",
        ),
        (ModelType.SENTENCE_EMBEDDING, "the graph gives logits [?, ?, 1200]"),
        (ModelType.SEQUENCE_CLASSIFICATION, "needs logits [batch, labels], the graph gives logits [?, ?, 1200]"),
        (ModelType.TOKEN_CLASSIFICATION, "no id2label (which means 2 labels), the graph gives 1200 logits"),
    ],
)
def test_no_model_type_can_be_forced_on_a_model_of_masked_words(model_type: ModelType, words: str) -> None:
    with pytest.raises(ModelError) as refusal:
        checked(MASKED, model_type)
    assert words in str(refusal.value)
