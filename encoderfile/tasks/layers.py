"""What a vector goes through after the pooling: `Dense`, `LayerNorm` and `Normalize` of sentence-transformers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from encoderfile.errors import ModelError
from encoderfile.manifest import LayerSpec
from encoderfile.tasks.linear import Linear
from encoderfile.tasks.numerics import unit
from encoderfile.types import FloatArray

Doubles = np.ndarray[Any, np.dtype[np.float64]]

_erf = np.frompyfunc(math.erf, 1, 1)
_EPSILON = 1e-5
"""Of torch's `LayerNorm`."""


def _softplus(x: Doubles) -> Doubles:
    return np.logaddexp(0.0, x)


def _sigmoid(x: Doubles) -> Doubles:
    found: Doubles = 0.5 * (1.0 + np.tanh(0.5 * x))
    return found


ACTIVATIONS: dict[str, Callable[[Doubles], Any]] = {
    "Identity": lambda x: x,
    "Tanh": np.tanh,
    "ReLU": lambda x: np.maximum(x, 0.0),
    "ReLU6": lambda x: np.clip(x, 0.0, 6.0),
    "LeakyReLU": lambda x: np.where(x > 0, x, 0.01 * x),
    "GELU": lambda x: 0.5 * x * (1.0 + np.asarray(_erf(x / math.sqrt(2.0)), dtype=np.float64)),
    "SiLU": lambda x: x * _sigmoid(x),
    "Mish": lambda x: x * np.tanh(_softplus(x)),
    "ELU": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0.0))),
    "CELU": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0.0))),
    "SELU": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0.0))),
    "Sigmoid": _sigmoid,
    "LogSigmoid": lambda x: -_softplus(-x),
    "Softplus": _softplus,
    "Softsign": lambda x: x / (1.0 + np.abs(x)),
    "Tanhshrink": lambda x: x - np.tanh(x),
    "Hardtanh": lambda x: np.clip(x, -1.0, 1.0),
    "Hardsigmoid": lambda x: np.clip(x / 6.0 + 0.5, 0.0, 1.0),
    "Hardswish": lambda x: x * np.clip(x / 6.0 + 0.5, 0.0, 1.0),
}
"""The classes of torch.nn with their defaults, elementwise in float64."""


class Layers:
    """All layers of a model, in order."""

    def __init__(self, specs: Sequence[LayerSpec], tensors: Mapping[str, FloatArray]) -> None:
        """Raises `ModelError` for a layer whose tensors are missing."""
        self._steps = [_step(spec, tensors) for spec in specs]
        sizes = [len(tensors[f"{spec.name}.weight"]) for spec in specs if spec.kind == "dense"]
        self._size = sizes[-1] if sizes else None

    def __call__(self, vectors: FloatArray) -> FloatArray:
        """float32 [..., size] to [..., size of the last dense layer]."""
        for step in self._steps:
            vectors = step(vectors)
        return vectors

    def width(self, pooled: int) -> int:
        """The size of a vector whose size before all layers is `pooled`."""
        return pooled if self._size is None else self._size


def _step(spec: LayerSpec, tensors: Mapping[str, FloatArray]) -> Callable[[FloatArray], FloatArray]:
    if spec.kind == "normalize":
        return unit
    linear = Linear.of(tensors, spec.name) if spec.kind == "dense" else None
    if linear is not None and spec.activation in ACTIVATIONS:
        return _dense(linear, ACTIVATIONS[spec.activation])
    names = f"{spec.name}.weight", f"{spec.name}.bias"
    if spec.kind == "layer_norm" and all(name in tensors for name in names):
        return _layer_norm(*(tensors[name] for name in names))
    raise ModelError(f"the layer {spec.kind} {spec.name} is not in the file, or not known: build the file again")


def _dense(linear: Linear, activation: Callable[[Doubles], Any]) -> Callable[[FloatArray], FloatArray]:
    def apply(vectors: FloatArray) -> FloatArray:
        found: FloatArray = activation(linear(vectors).astype(np.float64)).astype(np.float32)
        return found

    return apply


def _layer_norm(weight: FloatArray, bias: FloatArray) -> Callable[[FloatArray], FloatArray]:
    def apply(vectors: FloatArray) -> FloatArray:
        exact = vectors.astype(np.float64)
        exact -= exact.mean(axis=-1, keepdims=True)
        exact /= np.sqrt(np.square(exact).mean(axis=-1, keepdims=True) + _EPSILON)
        found: FloatArray = (exact * weight + bias).astype(np.float32)
        return found

    return apply
