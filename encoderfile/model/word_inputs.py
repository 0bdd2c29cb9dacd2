"""What a graph that reads words is fed beside the tokens: which token is which word, and the spans to score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from encoderfile.types import EncodedText, IntArray, WordNumbers

ROLES = ("words_mask", "text_lengths", "span_idx", "span_mask")
"""As the exports of GLiNER name them."""


def columns(batch: Sequence[EncodedText], places: Sequence[slice], width: int) -> Mapping[str, np.ndarray[Any, Any]]:
    """The arrays of all `ROLES`; each text's tokens are at its place of `places` in a row of `width`.

    `words_mask` int64 [rows, width], `text_lengths` int64 [rows, 1] in words, `span_idx` int64 [rows, spans, 2] with
    the first and last word of each span, which may lie beyond the text, `span_mask` bool [rows, spans].
    """
    numbered = [_numbered(text) for text in batch]
    words_mask = np.zeros((len(batch), width), dtype=np.int64)
    for row, (each, place) in enumerate(zip(numbered, places, strict=True)):
        words_mask[row, place] = each.mask
    counts = np.array([each.count for each in numbered], dtype=np.int64)[:, None]
    spans = _spans(int(counts.max()), numbered[0].max_width)
    return {
        "words_mask": words_mask,
        "text_lengths": counts,
        "span_idx": np.tile(spans, (len(batch), 1, 1)),
        "span_mask": spans[:, 1] < counts,
    }


def _spans(words: int, max_width: int) -> IntArray:
    """int64 [words * max_width, 2]: from each word, the shorter spans first."""
    starts = np.repeat(np.arange(words, dtype=np.int64), max_width)
    return np.stack([starts, starts + np.tile(np.arange(max_width, dtype=np.int64), words)], axis=1)


def _numbered(text: EncodedText) -> WordNumbers:
    assert text.numbered is not None
    return text.numbered
