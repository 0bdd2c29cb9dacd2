"""From logits to scores, and vectors of unit length: float32 in and out, computed in float64."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from encoderfile.types import FloatArray


def softmax(logits: FloatArray) -> FloatArray:
    """exp(x - max) / sum over the last axis."""
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(axis=-1, keepdims=True)
    np.exp(shifted, out=shifted)
    scores: FloatArray = (shifted / shifted.sum(axis=-1, keepdims=True)).astype(np.float32)
    return scores


def sigmoid(logits: FloatArray) -> FloatArray:
    """1 / (1 + exp(-x)), each label on its own; written with tanh, which cannot overflow."""
    scores: FloatArray = (0.5 * (1.0 + np.tanh(0.5 * logits.astype(np.float64)))).astype(np.float32)
    return scores


def unit(vectors: FloatArray) -> FloatArray:
    """Vectors along the last axis divided by their L2 norm, the norm never below 1e-12 (torch's `normalize`)."""
    norm = np.sqrt(np.einsum("...i,...i->...", vectors, vectors, dtype=np.float64))[..., None]
    units: FloatArray = (vectors / np.maximum(norm, 1e-12)).astype(np.float32)
    return units


def _sigmoid(x: float) -> float:
    return 0.5 * (1.0 + math.tanh(0.5 * x))  # cannot overflow


def _softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


ACTIVATIONS: dict[str, Callable[[float], float]] = {
    "sigmoid": _sigmoid,
    "identity": lambda x: x,
    "tanh": math.tanh,
    "relu": lambda x: max(x, 0.0),
    "logsigmoid": lambda x: -_softplus(-x),
    "softplus": _softplus,
    "hardsigmoid": lambda x: min(max(x / 6.0 + 0.5, 0.0), 1.0),
    "hardtanh": lambda x: min(max(x, -1.0), 1.0),
    "softsign": lambda x: x / (1.0 + abs(x)),
}
"""From one logit to one score, by the name of the torch.nn class in small letters, with its defaults."""
