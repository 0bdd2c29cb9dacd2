"""From the scores of a GLiNER graph to spans that do not clash.

The rules of the gliner package (`SpanDecoder`, `TokenDecoder` and `greedy_search` in decoding/decoder.py), without
comparing every two candidates.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from encoderfile.types import FloatArray, IntArray

MAX_SPANS = 100_000
"""Candidates of one text; beyond, a threshold lets nearly everything through."""


class TooManySpansError(Exception):
    """More candidates than `MAX_SPANS`."""


class Span(NamedTuple):
    """Words `start` to `end`, both inside, with one label. `label` is a column of the scores."""

    start: int
    end: int
    label: int
    score: float


class _Candidates(NamedTuple):
    """[n] each, in the order in which the package finds them."""

    starts: IntArray
    ends: IntArray
    labels: IntArray
    scores: FloatArray

    def taken(self, places: IntArray) -> _Candidates:
        """Those at some places, in that order."""
        return _Candidates(self.starts[places], self.ends[places], self.labels[places], self.scores[places])


@dataclass(frozen=True, slots=True)
class Search:
    """Which spans are wanted."""

    threshold: float
    flat: bool
    """Whether spans may share no word; else one may lie inside of another."""
    multi_label: bool
    """Whether a span may have several labels."""

    def spans(self, scores: FloatArray) -> list[Span]:
        """Those of a span-level graph; `scores` are float32 [words, widths, labels]. Raises `TooManySpansError`."""
        words, widths, _ = scores.shape
        inside = np.arange(words)[:, None] + np.arange(widths) < words
        # Compared in float32, as torch does.
        above = (scores > _float32(self.threshold)) & inside[:, :, None]
        if not self.multi_label:  # of the labels of a span only the best one can be taken
            above &= np.arange(scores.shape[2]) == np.argmax(scores, axis=2)[:, :, None]
        _check(int(np.count_nonzero(above)))
        starts, more, labels = np.nonzero(above)
        return self._chosen(_Candidates(starts, starts + more, labels, scores[starts, more, labels]), words)

    def spans_of_tokens(self, scores: FloatArray) -> list[Span]:
        """Those of a token-level graph; `scores` are float32 [words, labels, 3]: beginning, end, inside.

        Raises `TooManySpansError`.
        """
        limit = _float32(self.threshold)
        begins, ends = (scores[..., 0] > limit), (scores[..., 1] > limit)
        found = [
            _of_label(
                scores[:, label],
                label,
                np.flatnonzero(begins[:, label]),
                np.flatnonzero(ends[:, label]),
                self.threshold,
            )
            for label in np.flatnonzero(begins.any(axis=0) & ends.any(axis=0)).tolist()
        ]
        every = self._within(found)
        order = np.lexsort((every.ends, every.labels, every.starts))
        return self._chosen(every.taken(order), len(scores))

    def _within(self, found: Iterable[_Candidates]) -> _Candidates:
        """All candidates; where a span has one label alone, the best of each span."""
        kept: list[_Candidates] = []
        count = 0
        for each in found:
            kept.append(each)
            count += len(each.starts)
            if count > MAX_SPANS and not self.multi_label:
                kept = [_best_of_each_span(_joined(kept))]
                count = len(kept[0].starts)
            _check(count)
        return _joined(kept)

    def _chosen(self, found: _Candidates, words: int) -> list[Span]:
        """The best one first, each that clashes with none before it; sorted by their beginnings."""
        order = np.argsort(-found.scores, kind="stable")
        starts, ends, labels, scores = (column[order].tolist() for column in found)
        taken = _Flat(words) if self.flat else _Nested(words)
        verdicts: dict[tuple[int, int], bool] = {}
        chosen = []
        for start, end, label, score in zip(starts, ends, labels, scores, strict=True):
            # What clashes with the first label of a span clashes with all, and what does not never will.
            known = verdicts.get((start, end))
            if known is None:
                known = verdicts[start, end] = taken.add(start, end)
            elif not self.multi_label:
                continue
            if known:
                chosen.append(Span(start, end, label, score))
        chosen.sort(key=lambda span: span.start)
        return chosen


class _Flat:
    """Spans that share no word."""

    def __init__(self, words: int) -> None:
        self._taken = bytearray(words)

    def add(self, start: int, end: int) -> bool:
        """Whether the span is taken."""
        if self._taken.find(1, start, end + 1) >= 0:
            return False
        self._taken[start : end + 1] = b"\x01" * (end + 1 - start)
        return True


class _Nested:
    """Spans of which each two share no word, or one lies inside of the other."""

    def __init__(self, words: int) -> None:
        self._last = [-1] * words
        """For each word the last one of the longest span that was taken and begins there."""
        self._first = [words] * words
        """For each word the first one of the longest span that was taken and ends there."""

    def add(self, start: int, end: int) -> bool:
        """Whether the span is taken."""
        if max(self._last[start + 1 : end + 1], default=-1) > end:
            return False
        if min(self._first[start:end], default=end) < start:
            return False
        self._last[start] = max(end, self._last[start])
        self._first[end] = min(start, self._first[end])
        return True


def _of_label(scores: FloatArray, label: int, begins: IntArray, ends: IntArray, threshold: float) -> _Candidates:
    """Every span of one label from one of `begins` to one of `ends` whose words are all inside of it.

    `scores` are float32 [words, 3]. The score of a span is the least of all that it takes in. Raises
    `TooManySpansError`.
    """
    inside = np.ascontiguousarray(scores[:, 2])
    words = len(inside)
    # The first word behind each one that is not inside; compared as Python numbers, unlike the other two.
    outside = np.append(np.flatnonzero(inside.astype(np.float64) < threshold), words)
    stops = outside[np.searchsorted(outside, begins)]
    first = np.searchsorted(ends, begins)
    counts = np.searchsorted(ends, stops) - first
    total = int(counts.sum())
    _check(total)
    starts = np.repeat(begins, counts)
    places = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first, counts)
    stops = ends[places]
    least = np.minimum(_least(inside, starts, stops), np.minimum(scores[starts, 0], scores[stops, 1]))
    return _Candidates(starts, stops, np.full(total, label), least)


def _least(values: FloatArray, starts: IntArray, ends: IntArray) -> FloatArray:
    """The least of `values[start : end + 1]` for each pair, from the least of 1, 2, 4, ... values from each place."""
    found = np.empty(len(starts), dtype=np.float32)
    power = np.frexp((ends - starts + 1).astype(np.float64))[1] - 1
    table, step = values, 1
    for level in range(int(power.max(initial=-1)) + 1):
        here = power == level
        found[here] = np.minimum(table[starts[here]], table[ends[here] - step + 1])
        table, step = np.minimum(table[:-step], table[step:]), 2 * step
    return found


def _joined(some: Sequence[_Candidates]) -> _Candidates:
    if not some:
        empty = np.zeros(0, dtype=np.int64)
        return _Candidates(empty, empty, empty, np.zeros(0, dtype=np.float32))
    return _Candidates(*(np.concatenate(columns) for columns in zip(*some, strict=True)))


def _best_of_each_span(every: _Candidates) -> _Candidates:
    order = np.lexsort((every.labels, -every.scores, every.ends, every.starts))
    starts, ends = every.starts[order], every.ends[order]
    first = np.append(True, (np.diff(starts) != 0) | (np.diff(ends) != 0))
    return every.taken(order[first])


def _float32(threshold: float) -> np.float32:
    with np.errstate(over="ignore"):
        return np.float32(threshold)


def _check(count: int) -> None:
    if count > MAX_SPANS:
        raise TooManySpansError
