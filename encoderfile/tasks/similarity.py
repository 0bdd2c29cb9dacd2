"""How alike two texts are by their vectors: the similarity functions of sentence-transformers.

Formulas: sentence_transformers/util/similarity.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from encoderfile.tasks.abilities import Ability
from encoderfile.tasks.numerics import unit
from encoderfile.tasks.task import Task
from encoderfile.types import FloatArray


def _dot(vector: FloatArray, others: FloatArray) -> FloatArray:
    found: FloatArray = np.vecdot(others, vector)  # as `@` does not, it gives equal vectors equal numbers
    return found


def _cosine(vector: FloatArray, others: FloatArray) -> FloatArray:
    return np.clip(_dot(vector, others), -1, 1)  # rounding would else give 1.0000001


def _euclidean(vector: FloatArray, others: FloatArray) -> FloatArray:
    found: FloatArray = -np.linalg.norm(others - vector, axis=1)
    return found


def _manhattan(vector: FloatArray, others: FloatArray) -> FloatArray:
    found: FloatArray = -np.abs(others - vector).sum(axis=1)
    return found


SIMILARITIES: dict[str, Callable[[FloatArray, FloatArray], FloatArray]] = {
    "cosine": _cosine,
    "dot": _dot,
    "euclidean": _euclidean,
    "manhattan": _manhattan,
}
"""By the names of `similarity_fn_name`: from float32 [size] and [n, size] to [n]; distances are negative.

`cosine` takes vectors of unit length.
"""


def comparable(task: Task[Any]) -> Ability | None:
    """The kind of vectors by which texts are compared; None where a text has none, or one for each token."""
    return next((each for each in (Ability.DENSE, Ability.SPARSE) if each in task.dims), None)


def similarity_of(task: Task[Any]) -> str:
    """The model's own function, as its files say or its library assumes: a name of `SIMILARITIES`."""
    named = task.manifest.similarity
    if named in SIMILARITIES:
        return named
    return "cosine" if comparable(task) is Ability.DENSE else "dot"


def stacked(vectors: Iterable[FloatArray], function: str) -> FloatArray:
    """float32 [n, size], as `function` takes them."""
    rows = np.stack(list(vectors)).astype(np.float32, copy=False)
    return unit(rows) if function == "cosine" else rows
