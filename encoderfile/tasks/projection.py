"""The last layers of a ColBERT model, where they are not in the graph: from hidden states to the vectors compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from encoderfile.errors import ModelError
from encoderfile.tasks.linear import Linear
from encoderfile.types import FloatArray

LAYER, RESIDUAL = "dense.{}", "dense.{}.residual"
"""Names of the tensors of each layer, counted from 0, and of what its input is multiplied by and added."""


@dataclass(frozen=True, slots=True)
class Projection:
    """Layers without an activation, each with its residual or None."""

    layers: Sequence[tuple[Linear, Linear | None]]

    @staticmethod
    def of(tensors: Mapping[str, FloatArray]) -> Projection | None:
        """None where there are none. Raises `ModelError` where the sizes do not fit."""
        layers: list[tuple[Linear, Linear | None]] = []
        while (layer := Linear.of(tensors, LAYER.format(len(layers)))) is not None:
            residual = Linear.of(tensors, RESIDUAL.format(len(layers)))
            shapes = {each.weight.shape for each in (layer, residual) if each is not None}
            if len(shapes) > 1 or (layers and layers[-1][0].weight.shape[0] != layer.weight.shape[1]):
                raise ModelError("the Dense layers of this model do not fit together: copy their files again")
            layers.append((layer, residual))
        return Projection(layers) if layers else None

    @property
    def takes(self) -> int:
        """The size of the vectors that go in."""
        return int(self.layers[0][0].weight.shape[1])

    @property
    def gives(self) -> int:
        """The size of the vectors that come out."""
        return int(self.layers[-1][0].weight.shape[0])

    def __call__(self, rows: FloatArray) -> FloatArray:
        """float32 [rows, takes] to [rows, gives]."""
        for layer, residual in self.layers:
            found = layer(rows)
            rows = found if residual is None else found + residual(rows)
        return rows
