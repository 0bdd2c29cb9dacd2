"""BGE-M3: sparse weights and a vector for each token, beside the vector of the text; how it scores a passage.

Formulas: FlagEmbedding/finetune/embedder/encoder_only/m3/modeling.py, `_sparse_embedding`, `_colbert_embedding`,
`compute_colbert_score`, `compute_sparse_score`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from encoderfile.errors import InternalError, ModelError
from encoderfile.manifest import Manifest
from encoderfile.tasks.linear import Linear
from encoderfile.tasks.maxsim import best_matches
from encoderfile.types import EncodedText, FloatArray, IntArray

SPARSE, MULTIVECTOR = "sparse", "multivector"
SPARSE_HEAD, MULTIVECTOR_HEAD = "sparse_linear", "colbert_linear"
"""Names of the heads' files and tensors."""

_WEIGHTS = 0.4, 0.2, 0.4
"""Of dense, sparse and multivector scores, as the model's own page has them."""


@dataclass(frozen=True, slots=True)
class BgeM3Settings:
    """`Manifest.task`."""

    vocabulary: int
    """Size of a sparse vector."""
    multivector_size: int
    unweighted_ids: Sequence[int]
    """Tokens that never have a sparse weight."""


class Weights(NamedTuple):
    """The weights of one text that are not zero: `ids` int64 [n], rising, and `weights` float32 [n]."""

    ids: IntArray
    weights: FloatArray

    def vector(self, size: int) -> FloatArray:
        """float32 [size]."""
        found = np.zeros(size, dtype=np.float32)
        found[self.ids] = self.weights
        return found

    def product(self, other: Weights) -> float:
        """The dot product."""
        if not len(self.ids):
            return 0.0
        places = np.minimum(np.searchsorted(self.ids, other.ids), len(self.ids) - 1)
        same = self.ids[places] == other.ids
        return float(self.weights[places[same]] @ other.weights[same])


class BgeM3:
    """What is made of a text's token vectors, or of the graph's own outputs."""

    def __init__(self, settings: BgeM3Settings, tensors: Mapping[str, FloatArray]) -> None:
        """`tensors` are those of the heads; without them the graph gives weights and vectors."""
        self.settings = settings
        self._heads = {
            SPARSE: Linear.of(tensors, SPARSE_HEAD),
            MULTIVECTOR: Linear.of(tensors, MULTIVECTOR_HEAD),
        }

    @staticmethod
    def of(manifest: Manifest, tensors: Mapping[str, FloatArray]) -> BgeM3 | None:
        """None for other models. Raises `ModelError` where the manifest does not have the settings."""
        if not manifest.graph.more_outputs:
            return None
        try:
            return BgeM3(BgeM3Settings(**manifest.task), tensors)
        except TypeError as error:
            raise ModelError("the manifest does not say how sparse and token vectors are made") from error

    def sparse(self, output: FloatArray, batch: Sequence[EncodedText], mask: FloatArray) -> list[Weights]:
        """From [batch, tokens, 1], or token vectors: the largest weight of each token id."""
        _missing(output, mask, most=0)
        return [self._weights(row[real > 0], text) for row, text, real in zip(output, batch, mask, strict=True)]

    def _weights(self, rows: FloatArray, text: EncodedText) -> Weights:
        column = self._apply(SPARSE, rows)
        if column.shape[1] != 1:
            raise InternalError(f"the graph gives {column.shape[1]} sparse weights for a token")
        order = np.argsort(text.input_ids, kind="stable")
        ids = text.input_ids[order]
        first = np.flatnonzero(np.append(True, np.diff(ids) != 0))
        ids, weights = ids[first], np.maximum.reduceat(np.maximum(column[:, 0], 0)[order], first)
        kept = weights > 0
        for unweighted in self.settings.unweighted_ids:
            kept &= ids != unweighted
        return Weights(ids[kept], weights[kept].astype(np.float32))

    def multivector(self, output: FloatArray, batch: Sequence[EncodedText], mask: FloatArray) -> list[FloatArray]:
        """From [batch, tokens, size], or without the first token: float32 [tokens - 1, size]."""
        missing = _missing(output, mask, most=1)
        found = []
        for row, text, real in zip(output, batch, mask, strict=True):
            rows = row[real[missing:] > 0]
            vectors = self._apply(MULTIVECTOR, rows[len(rows) - len(text) + 1 :])
            if vectors.shape[1] != self.settings.multivector_size:
                raise InternalError(f"the graph gives token vectors of the size {vectors.shape[1]}")
            found.append(vectors)
        return found

    def _apply(self, kind: str, rows: FloatArray) -> FloatArray:
        head = self._heads[kind]
        return rows if head is None else head(rows)


def _missing(output: FloatArray, mask: FloatArray, most: int) -> int:
    """How many of the first tokens the output has no row for."""
    missing: int = mask.shape[1] - output.shape[1]
    if not 0 <= missing <= most:
        raise InternalError(f"the graph gives {output.shape[1]} rows for {mask.shape[1]} tokens")
    return missing


def score(query: tuple[FloatArray, Weights, FloatArray], passage: tuple[FloatArray, Weights, FloatArray]) -> float:
    """`compute_score` of both, each as vector, weights and vectors of tokens; vectors are of unit length."""
    parts = (
        float(query[0] @ passage[0]),
        query[1].product(passage[1]),
        float(best_matches(query[2], passage[2]).mean()) if len(query[2]) and len(passage[2]) else 0.0,
    )
    return sum(weight * part for weight, part in zip(_WEIGHTS, parts, strict=True)) / sum(_WEIGHTS)
