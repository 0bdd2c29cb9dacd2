"""MaxSim: how well a document answers a query, where both are several vectors (late interaction)."""

from __future__ import annotations

from encoderfile.types import FloatArray

_BLOCK = 1 << 22
"""Dot products that are held at once."""


def maxsim(query: FloatArray, document: FloatArray) -> float:
    """The sum over the query's rows of the largest dot product with a row of the document.

    float32 [rows, size] each, with one size. 0 where one of the two has no rows. As pylate's `colbert_scores`.
    """
    if not len(document):
        return 0.0
    rows = max(1, _BLOCK // len(document))
    blocks = (query[start : start + rows] @ document.T for start in range(0, len(query), rows))
    return float(sum(float(block.max(axis=1).sum()) for block in blocks))
