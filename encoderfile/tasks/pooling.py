"""How token vectors become one vector, in sentence-transformers' ways.

Every function takes hidden, float32 [batch, tokens, hidden], and mask, float32 [batch, tokens], and gives
float32 [batch, hidden]. Formulas: sentence_transformers/models/Pooling.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from encoderfile.types import FloatArray


def _sum(hidden: FloatArray, weights: FloatArray) -> FloatArray:
    # One matrix product per text: no [batch, tokens, hidden] temporary.
    pooled: FloatArray = np.matmul(weights[:, None, :], hidden)[:, 0, :]
    return pooled


def _weighted_mean(hidden: FloatArray, mask: FloatArray, positions: FloatArray | None = None) -> FloatArray:
    # Real tokens count from one, so that padding on the left shifts no weight.
    weights = mask * (np.cumsum(mask, axis=1, dtype=np.float32) if positions is None else positions)
    pooled: FloatArray = _sum(hidden, weights) / weights.sum(axis=1, keepdims=True)
    return pooled


def _splade_max(logits: FloatArray, mask: FloatArray, logarithms: int) -> FloatArray:
    # The logarithm grows with its argument, so it is taken of the maximum; `initial` is the relu.
    pairs = zip(logits, mask[:, :, None] > 0, strict=True)
    weights: FloatArray = np.stack([rows.max(axis=0, initial=0.0, where=real) for rows, real in pairs])
    return _log1p(weights, logarithms)


def _splade_sum(logits: FloatArray, mask: FloatArray, logarithms: int) -> FloatArray:
    # One text at a time: no second array of the size of the logits.
    pairs = zip(logits, mask > 0, strict=True)
    return np.stack([_log1p(np.maximum(rows[real], np.float32(0)), logarithms).sum(axis=0) for rows, real in pairs])


def _log1p(weights: FloatArray, times: int) -> FloatArray:
    for _ in range(times):
        np.log1p(weights, out=weights)
    return weights


POOLING: dict[str, Callable[..., FloatArray]] = {
    "cls": lambda hidden, mask: hidden[np.arange(len(hidden)), mask.argmax(axis=1)],
    "max": lambda hidden, mask: np.where(mask[:, :, None] > 0, hidden, np.float32(-np.inf)).max(axis=1),
    "mean": lambda hidden, mask: _sum(hidden, mask) / mask.sum(axis=1, keepdims=True),
    "mean_sqrt_len_tokens": lambda hidden, mask: _sum(hidden, mask) / np.sqrt(mask.sum(axis=1, keepdims=True)),
    "weightedmean": _weighted_mean,
    "lasttoken": lambda hidden, mask: hidden[
        np.arange(len(hidden)), mask.shape[1] - 1 - mask[:, ::-1].argmax(axis=1)
    ],
}
"""The modes of sentence-transformers' `Pooling`, under its names."""

SPARSE: dict[str, Callable[[FloatArray, FloatArray], FloatArray]] = {
    "splade": partial(_splade_max, logarithms=1),
    "splade_log1p_relu": partial(_splade_max, logarithms=2),
    "splade_sum": partial(_splade_sum, logarithms=1),
    "splade_sum_log1p_relu": partial(_splade_sum, logarithms=2),
}
"""The modes of its `SpladePooling`: from logits to a weight for each word that the model of masked words knows.

The largest over the tokens (SPLADE v2, Formal et al. 2021) or the sum (SPLADE) of log(1 + relu(logits)); with
`log1p_relu` the logarithm is taken twice. Never together with other modes."""


def sparse_mode(strategy: str = "max", activation: str = "relu") -> str:
    """The name in `SPARSE` of what `SpladePooling` calls its strategy and activation."""
    return "_".join(["splade", *(each for each in (strategy, activation) if each not in ("max", "relu"))])


def pooled_mask(mask: FloatArray, unpooled: Sequence[int]) -> FloatArray:
    """`mask` without so many real tokens at the beginning of each text."""
    positions = np.cumsum(mask, axis=1, dtype=np.float32)
    left: FloatArray = np.where(positions > np.array(unpooled)[:, None], mask, np.float32(0))
    return left


def pool(
    modes: Sequence[str], hidden: FloatArray, mask: FloatArray, unpooled: Sequence[int] | None = None
) -> FloatArray:
    """One vector per text, float32 [batch, hidden times modes].

    `unpooled` real tokens at the beginning of each text are left out, as `Pooling` does with those of a prompt where
    `include_prompt` is false; a weighted mean still counts them. Each text must have more tokens than that.
    """
    if len(modes) == 1 and modes[0] in SPARSE:
        return SPARSE[modes[0]](hidden, mask)
    ways = dict(POOLING)
    if unpooled is not None and any(unpooled):
        positions: FloatArray = np.cumsum(mask, axis=1, dtype=np.float32)
        mask = pooled_mask(mask, unpooled)
        ways["weightedmean"] = partial(_weighted_mean, positions=positions)
    pooled: FloatArray = np.concatenate([ways[mode](hidden, mask) for mode in modes], axis=-1)
    return pooled
