"""`output_dtype`: float32 vectors in smaller numbers, with SIE's formulas.

Each vector, along the last axis, is scaled on its own; the scale is not returned. Rounding is half to even.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from encoderfile.types import FloatArray

Numbers = npt.NDArray[Any]


def _int8(vectors: FloatArray) -> Numbers:
    """x / max|x| * 127."""
    largest = np.abs(vectors).max(axis=-1, keepdims=True, initial=0)
    scaled = vectors / np.where(largest == 0, np.float32(1), largest)
    whole: Numbers = np.round(scaled * np.float32(127)).astype(np.int8)
    return whole


def _uint8(vectors: FloatArray) -> Numbers:
    """(x - min) / (max - min) * 255; a constant vector is 0."""
    least, most = vectors.min(axis=-1, keepdims=True), vectors.max(axis=-1, keepdims=True)
    span = most - least
    scaled = (vectors - least) / np.where(span == 0, np.float32(1), span)
    whole: Numbers = np.round(scaled * np.float32(255)).astype(np.uint8)
    return whole


def _binary(vectors: FloatArray) -> Numbers:
    """One bit a dimension, 1 where x > 0, the first dimension in the highest bit, the tail filled with 0."""
    return np.packbits(vectors > 0, axis=-1)


def _float16(vectors: FloatArray) -> Numbers:
    return vectors.astype(np.float16)


_WAYS: dict[str, tuple[str, Callable[[FloatArray], Numbers]]] = {
    "float16": ("float16", _float16),
    "int8": ("int8", _int8),
    "uint8": ("uint8", _uint8),
    "binary": ("binary", _binary),
    "ubinary": ("binary", _binary),
}

Dtype = Literal["float32", "float16", "int8", "uint8", "binary", "ubinary"]
"""What a request may ask for."""


def convert(vectors: FloatArray, name: Dtype) -> tuple[str, Numbers]:
    """The dtype as the answer names it, and the vectors in it. The number of dimensions is not changed by it."""
    if name == "float32":
        return name, vectors
    reported, way = _WAYS[name]
    return reported, way(vectors)
