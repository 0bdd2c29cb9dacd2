"""Linear layers beside the graph: sentence-transformers' `Dense`, the heads of BGE-M3."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from encoderfile.errors import ModelError
from encoderfile.types import FloatArray


@dataclass(frozen=True, slots=True)
class Linear:
    """`x @ weight.T + bias`. `weight` is float32 [out, in], `bias` float32 [out] or None."""

    weight: FloatArray
    bias: FloatArray | None = None

    @staticmethod
    def of(tensors: Mapping[str, FloatArray], name: str) -> Linear | None:
        """The layer whose tensors are called `name.weight` and `name.bias`; None where there is none.

        Raises `ModelError` where the shapes do not fit.
        """
        weight, bias = tensors.get(f"{name}.weight"), tensors.get(f"{name}.bias")
        if weight is None:
            return None
        if weight.ndim != 2 or (bias is not None and bias.shape != weight.shape[:1]):
            raise ModelError(f"the weights of {name} do not have the shapes of a linear layer: copy its file again")
        return Linear(weight, bias)

    def __call__(self, rows: FloatArray) -> FloatArray:
        """float32 [..., in] to [..., out]."""
        found: FloatArray = np.matmul(rows, self.weight.T)
        if self.bias is not None:
            found += self.bias
        return found
