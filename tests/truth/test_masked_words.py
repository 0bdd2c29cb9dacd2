"""An export that predicts masked words is a sparse embedding: one weight per word of the vocabulary."""

from typing import Any

import numpy as np
import pytest

from encoderfile.errors import ModelError
from encoderfile.tasks.sentence_embedding import SentenceEmbedding
from encoderfile.types import EncodedText
from support.models import checked, expected, folders_with_truth, open_model

MASKED = folders_with_truth()["bert-mlm"]
TEXTS = [each for each in expected(MASKED)["inputs"] if each["text_pair"] is None and each["max_length"] == 64]


def weights(batch: list[EncodedText]) -> list[Any]:
    results = open_model(MASKED).run(batch)
    assert all(isinstance(each, SentenceEmbedding) for each in results)
    return [each.embedding for each in results if isinstance(each, SentenceEmbedding)]


def test_a_model_of_masked_words_is_a_sentence_embedding_with_splade_pooling() -> None:
    found = checked(MASKED)
    assert found.manifest.model_type == "sentence_embedding"
    assert found.manifest.pooling is not None
    assert (found.manifest.pooling.modes, found.manifest.pooling.normalize) == (("splade",), False)
    assert found.manifest.width == 1200
    assert found.type_reason.startswith("BertForMaskedLM gives a weight to each word of the vocabulary")


@pytest.mark.parametrize("alone", [True, False], ids=["alone", "in one batch"])
def test_its_weights_are_those_of_the_reference(alone: bool) -> None:
    texts = open_model(MASKED).encode([each["text"] for each in TEXTS])
    found = [row for text in texts for row in weights([text])] if alone else weights(texts)
    for row, truth in zip(found, TEXTS, strict=True):
        indices = [index for index, _ in truth["splade_top"]]
        np.testing.assert_allclose(row[indices], [value for _, value in truth["splade_top"]], atol=1e-4)
        np.testing.assert_allclose(np.linalg.norm(row), truth["splade_norm"], rtol=1e-4)
        assert np.count_nonzero(row > 1e-4) <= truth["splade_nonzero"] <= np.count_nonzero(row) + 2
        assert (row >= 0).all()


@pytest.mark.parametrize(
    ("model_type", "words"),
    [
        (
            "embedding",
            "the model type embedding needs last_hidden_state [batch, tokens, hidden], the graph gives logits",
        ),
        ("sequence_classification", "needs logits [batch, labels], the graph gives logits [?, ?, 1200]"),
        ("token_classification", "no id2label (which means 2 labels), the graph gives 1200 logits"),
    ],
)
def test_no_other_model_type_can_be_forced_on_it(model_type: str, words: str) -> None:
    with pytest.raises(ModelError) as refusal:
        checked(MASKED, model_type)
    assert words in str(refusal.value)


@pytest.mark.parametrize("name", ["bert-tok", "xlmr-tok"])
def test_the_logits_of_other_models_are_not_a_sentence_embedding(name: str) -> None:
    with pytest.raises(ModelError, match=r"ForTokenClassification cannot be pooled"):
        checked(folders_with_truth()[name], "sentence_embedding")
