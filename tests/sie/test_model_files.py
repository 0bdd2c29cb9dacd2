"""What the model's own files say of shorter vectors, of pooling and of sparse embeddings."""

from typing import Any

import numpy as np
import pytest

from encoderfile.builder.detect import matryoshka, vector_pooling
from encoderfile.errors import ModelError
from encoderfile.manifest import PoolingSpec
from encoderfile.tasks.pooling import pool
from encoderfile.types import ModelType
from support.synthetic import folder, output

HIDDEN = output("last_hidden_state", None, None, 8)
LOGITS = output("logits", None, None, 100)


@pytest.mark.parametrize(
    ("config", "marked"),
    [
        ({}, False),
        ({"matryoshka_dimensions": [64, 32]}, True),
        ({"matryoshka_dimensions": []}, False),
        ({"is_matryoshka": True}, True),
        ({"is_matryoshka": "no"}, False),
    ],
)
def test_shorter_vectors_are_those_of_a_marked_model(config: dict[str, Any], marked: bool) -> None:
    assert matryoshka(folder(config=config)) is marked


def test_an_embedding_model_keeps_the_pooling_of_its_files() -> None:
    cls = folder(pooling={"pooling_mode_cls_token": True}, modules=({"type": "x.Pooling"}, {"type": "x.Normalize"}))
    assert vector_pooling(cls, ModelType.EMBEDDING, HIDDEN) == PoolingSpec(("cls",), normalize=True)
    assert vector_pooling(folder(), ModelType.EMBEDDING, HIDDEN) is None


def test_an_embedding_model_needs_no_pooling_that_is_built_here() -> None:
    dense = folder(modules=({"type": "x.Pooling"}, {"type": "x.Dense"}))
    assert vector_pooling(dense, ModelType.EMBEDDING, HIDDEN) is None
    with pytest.raises(ModelError, match="a Dense module"):
        vector_pooling(dense, ModelType.SENTENCE_EMBEDDING, HIDDEN)


@pytest.mark.parametrize(
    "parts", [{"pooling_strategy": "sum"}, {"activation_function": "log1p_relu"}, {"pooling_strategy": None}]
)
def test_another_sparse_pooling_is_refused(parts: dict[str, Any]) -> None:
    masked = folder(config={"architectures": ["BertForMaskedLM"]}, pooling=parts)
    with pytest.raises(ModelError, match=r"the sparse pooling .* is not built here: known is max with relu"):
        vector_pooling(masked, ModelType.SENTENCE_EMBEDDING, LOGITS)


def test_splade_is_the_largest_log_of_one_plus_relu_over_real_tokens() -> None:
    logits = np.random.default_rng(3).standard_normal((2, 5, 7)).astype(np.float32)
    logits[1] = -np.abs(logits[1])
    mask = np.array([[1, 1, 1, 0, 0], [0, 0, 1, 1, 1]], dtype=np.float32)
    found = pool(("splade",), logits, mask)
    for row, real, weights in zip(logits, mask, found, strict=True):
        truth = np.log1p(np.maximum(row[real > 0], 0)).max(axis=0)
        np.testing.assert_allclose(weights, truth, atol=1e-6)
    assert found.dtype == np.float32
    assert not found[1].any()
