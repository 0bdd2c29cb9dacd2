"""MaxSim: how well a document answers a query, both as a vector for each token (late interaction, ColBERT)."""

from __future__ import annotations

import numpy as np

from encoderfile.types import FloatArray

_ROWS = 1024
"""Rows of a document that are compared at once, so that no array of all pairs is made."""


def best_matches(query: FloatArray, document: FloatArray) -> FloatArray:
    """For each row of the query the largest dot product with a row of the document, float32 [query rows].

    `query` and `document` are float32 [rows, size], each with at least one row.
    """
    best: FloatArray = np.full(len(query), -np.inf, dtype=np.float32)
    for start in range(0, len(document), _ROWS):
        products = query @ document[start : start + _ROWS].T
        np.maximum(best, products.max(axis=1), out=best)
    return best


def maxsim(query: FloatArray, document: FloatArray) -> float:
    """The sum of `best_matches` (pylate's `colbert_scores`)."""
    return float(best_matches(query, document).sum())
