"""Pooling against a loop that does what the formula says, one text at a time and without any padding."""

import math

import numpy as np
import pytest

from encoderfile import tasks
from encoderfile.manifest import PoolingSpec
from encoderfile.tasks.pooling import POOLING, pool
from encoderfile.types import EncodedText, FloatArray
from support.payload import manifest

LENGTHS = (1, 5, 3, 7)
HIDDEN = 6
WIDTH = max(LENGTHS)
_IDS = np.zeros(1, dtype=np.int64)
TEXT = EncodedText(_IDS, _IDS, _IDS, (), truncated=False)


def naive(mode: str, vectors: FloatArray) -> list[float]:
    """One text: `vectors` are its real tokens, [tokens, hidden]."""
    count = len(vectors)
    columns = [[float(vectors[token][column]) for token in range(count)] for column in range(HIDDEN)]
    match mode:
        case "cls":
            return [column[0] for column in columns]
        case "lasttoken":
            return [column[-1] for column in columns]
        case "max":
            return [max(column) for column in columns]
        case "mean":
            return [sum(column) / count for column in columns]
        case "mean_sqrt_len_tokens":
            return [sum(column) / math.sqrt(count) for column in columns]
        case "weightedmean":
            weights = range(1, count + 1)
            return [
                sum(w * value for w, value in zip(weights, column, strict=True)) / sum(weights) for column in columns
            ]
    raise AssertionError(f"the loop does not know {mode}")


def texts() -> list[FloatArray]:
    chance = np.random.default_rng(5)
    # All below zero, so that padding (zero or worse) would win every maximum.
    return [(chance.normal(size=(length, HIDDEN)) - 9).astype(np.float32) for length in LENGTHS]


def padded(side: str) -> tuple[FloatArray, FloatArray]:
    """The texts in one batch; what stands in the padding must not matter, so it is large."""
    hidden = np.full((len(LENGTHS), WIDTH, HIDDEN), 1000.0, dtype=np.float32)
    mask = np.zeros((len(LENGTHS), WIDTH), dtype=np.float32)
    for row, vectors in enumerate(texts()):
        real = slice(WIDTH - len(vectors), WIDTH) if side == "left" else slice(0, len(vectors))
        hidden[row, real] = vectors
        mask[row, real] = 1
    return hidden, mask


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("mode", POOLING)
def test_a_padded_batch_is_pooled_as_each_text_alone(mode: str, side: str) -> None:
    pooled = POOLING[mode](*padded(side))
    assert pooled.dtype == np.float32
    np.testing.assert_allclose(pooled, [naive(mode, vectors) for vectors in texts()], rtol=1e-5)


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("mode", POOLING)
def test_the_tokens_of_a_prompt_are_left_out_and_still_counted(mode: str, side: str) -> None:
    left_out = [0, 2, 1, 6]
    pooled = pool((mode,), *padded(side), left_out)
    assert pooled.dtype == np.float32
    for found, vectors, skipped in zip(pooled, texts(), left_out, strict=True):
        if mode == "weightedmean":  # as the library: weights are positions, and the prompt has the first ones
            weights = np.arange(skipped + 1, len(vectors) + 1)[:, None]
            wanted = (weights * vectors[skipped:]).sum(axis=0) / weights.sum()
        else:
            wanted = naive(mode, vectors[skipped:])
        np.testing.assert_allclose(found, wanted, rtol=1e-5)


@pytest.mark.parametrize("normalize", [None, True, False])
@pytest.mark.parametrize("own", [True, False])
def test_modes_are_concatenated_and_then_normalised(own: bool, normalize: bool | None) -> None:
    spec = PoolingSpec(("cls", "mean", "max"), own)
    task = tasks.create(manifest(model_type="sentence_embedding", id2label=None, pooling=spec))
    hidden, mask = padded("right")
    pooled = task.postprocess(hidden, [TEXT] * 4, mask)
    results = [task.with_options(result, {"normalize": normalize}) for result in pooled]
    for result, vectors in zip(results, texts(), strict=True):
        wanted = np.array([value for mode in spec.modes for value in naive(mode, vectors)])
        if own if normalize is None else normalize:
            wanted = wanted / np.linalg.norm(wanted)
        np.testing.assert_allclose(result.embedding, wanted, rtol=1e-5)


def test_without_pooling_vectors_are_averaged_and_not_normalised() -> None:
    task = tasks.create(manifest(model_type="sentence_embedding", id2label=None))
    hidden, mask = padded("right")
    results = [task.with_options(result, {}) for result in task.postprocess(hidden, [TEXT] * 4, mask)]
    np.testing.assert_allclose(
        [result.embedding for result in results], [naive("mean", vectors) for vectors in texts()], rtol=1e-5
    )


def test_an_output_that_is_pooled_already_is_taken_as_it_is() -> None:
    task = tasks.create(
        manifest(model_type="sentence_embedding", id2label=None, pooling=PoolingSpec(("cls",), False))
    )
    output = np.arange(8, dtype=np.float32).reshape(4, 2)
    results = task.postprocess(output, [TEXT] * 3, np.ones((3, 5), dtype=np.float32))
    np.testing.assert_array_equal([result.embedding for result in results], output[:3])


def test_a_result_does_not_keep_the_memory_of_its_batch() -> None:
    task = tasks.create(manifest(model_type="sentence_embedding", id2label=None))
    output = np.zeros((4, 2), dtype=np.float32)
    (result, *_) = task.postprocess(output, [TEXT] * 4, np.ones((4, 5), dtype=np.float32))
    assert not np.shares_memory(result.embedding, output)
