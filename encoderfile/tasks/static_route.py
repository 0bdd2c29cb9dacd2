"""Texts that need no run of the graph: each token that is there has its weight (`SparseStaticEmbedding`).

Source: sentence_transformers/sparse_encoder/modules/sparse_static_embedding.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from encoderfile.errors import InputError, ModelError
from encoderfile.manifest import Manifest
from encoderfile.tasks.preprocessor import Preprocessor, Row
from encoderfile.tasks.results import Result
from encoderfile.types import Asked, EncodedText, FloatArray, Text

R = TypeVar("R", bound=Result)

WEIGHTS = "static_weights"
"""The tensor: float32 [vocabulary]."""


@dataclass(frozen=True, slots=True)
class StaticSettings:
    """`Manifest.task`."""

    purposes: Sequence[str]
    """Those of the texts that are read so."""
    max_length: int
    """In tokens, special ones of the tokenizer included, which have no weight."""

    @staticmethod
    def of(manifest: Manifest, tensors: Mapping[str, FloatArray]) -> StaticSettings | None:
        """None for other models. Raises `ModelError` where the manifest does not have the settings."""
        if WEIGHTS not in tensors:
            return None
        try:
            return StaticSettings(**manifest.task)
        except TypeError as error:
            raise ModelError("the manifest does not say which texts have weights of their own") from error


class StaticRoute(Preprocessor[R], Generic[R]):
    """Reads texts of some purposes without a run, and others as they stand."""

    def __init__(
        self, settings: StaticSettings, weights: FloatArray, size: int, result: Callable[[FloatArray], R]
    ) -> None:
        """`size` is that of the vectors of other texts; `result` makes the result of a vector."""
        self._settings = settings
        self._weights = weights
        self._size = max(size, len(weights))
        self._result = result

    def rows(self, text: Text, asked: Asked) -> Sequence[Row]:
        if asked.purpose not in self._settings.purposes:
            return (Row(text),)
        return (Row(text, max_length=self._settings.max_length, kept=True),)

    def needs_run(self, encoded: EncodedText) -> bool:
        return not encoded.kept

    def answer(self, encoded: EncodedText) -> R | None:
        """Raises `InputError` for a token without a weight."""
        if not encoded.kept:
            return None
        ids = encoded.input_ids[encoded.special_tokens_mask == 0]
        if len(ids) and int(ids.max()) >= len(self._weights):
            raise InputError("a text holds a token for which this model has no weight: leave it out")
        vector = np.zeros(self._size, dtype=np.float32)
        vector[ids] = self._weights[ids]
        return self._result(vector)
