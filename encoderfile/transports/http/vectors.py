"""Vectors in fewer bytes than JSON's numbers: base64, int8 and bits, as Cohere's and OpenAI's clients ask for."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from encoderfile.transports.http.sie.dtypes import Numbers, convert
from encoderfile.types import FloatArray

EmbeddingType = Literal["float", "int8", "uint8", "binary", "ubinary", "base64"]
"""Cohere's names."""


def base64_of(vector: FloatArray) -> str:
    """Little-endian float32."""
    return base64.b64encode(vector.astype("<f4", copy=False).tobytes()).decode()


def _int8(vector: FloatArray) -> Numbers:
    return convert(vector, "int8")[1]


def _uint8(vector: FloatArray) -> Numbers:
    """`int8` plus 128, as sentence-transformers has it."""
    return (_int8(vector).astype(np.int16) + 128).astype(np.uint8)


def _ubinary(vector: FloatArray) -> Numbers:
    return convert(vector, "ubinary")[1]


def _binary(vector: FloatArray) -> Numbers:
    """`ubinary` less 128, as sentence-transformers has it."""
    return (_ubinary(vector).astype(np.int16) - 128).astype(np.int8)


FORMS: dict[EmbeddingType, Callable[[FloatArray], Any]] = {
    "float": lambda vector: vector,
    "int8": _int8,
    "uint8": _uint8,
    "binary": _binary,
    "ubinary": _ubinary,
    "base64": base64_of,
}
"""One vector, float32 [size], in each form.

`int8` is scaled by the largest number of its own vector, so two vectors keep the cosine of their angle and lose their
lengths; the bits say which numbers are above zero, eight to a byte.
"""
