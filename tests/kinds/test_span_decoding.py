"""Spans are chosen as the gliner package chooses them, by comparing every two."""

import itertools
from typing import Any

import numpy as np
import pytest

from encoderfile.tasks.span_decoding import MAX_SPANS, Search, TooManySpansError

SETTINGS = list(itertools.product((-1.0, 0.2, 0.5, 0.9), (True, False), (True, False)))
Candidate = tuple[int, int, int, float]


def clash(one: Candidate, other: Candidate, flat: bool, multi_label: bool) -> bool:
    if one[:2] == other[:2]:
        return not multi_label
    share = one[0] <= other[1] and other[0] <= one[1]
    inside = (one[0] <= other[0] and other[1] <= one[1]) or (other[0] <= one[0] and one[1] <= other[1])
    return share and (flat or not inside)


def greedy(candidates: list[Candidate], flat: bool, multi_label: bool) -> list[Candidate]:
    taken: list[Candidate] = []
    for each in sorted(candidates, key=lambda candidate: -candidate[3]):
        if not any(clash(each, other, flat, multi_label) for other in taken):
            taken.append(each)
    return sorted(taken, key=lambda candidate: candidate[0])


def of_spans(scores: Any, threshold: float) -> list[Candidate]:
    words, widths, labels = scores.shape
    every = itertools.product(range(words), range(widths), range(labels))
    return [
        (start, start + more, label, float(scores[start, more, label]))
        for start, more, label in every
        if start + more < words and scores[start, more, label] > threshold
    ]


def of_tokens(scores: Any, threshold: float) -> list[Candidate]:
    words, labels, _ = scores.shape
    found = []
    for start, label, end in itertools.product(range(words), range(labels), range(words)):
        if end < start or not (scores[start, label, 0] > threshold and scores[end, label, 1] > threshold):
            continue
        inside = scores[start : end + 1, label, 2].tolist()
        if min(inside) >= threshold:
            least = min(*inside, float(scores[start, label, 0]), float(scores[end, label, 1]))
            found.append((start, end, label, least))
    return found


def random_scores(seed: int, shape: tuple[int, ...]) -> Any:
    """With ties: of few values."""
    return (np.random.default_rng(seed).integers(0, 41, shape) / 40).astype(np.float32)


@pytest.mark.parametrize(("threshold", "flat", "multi_label"), SETTINGS)
def test_spans_of_a_span_level_graph(threshold: float, flat: bool, multi_label: bool) -> None:
    for seed in range(25):
        scores = random_scores(seed, (1 + seed % 9, 1 + seed % 5, 1 + seed % 4))
        found = Search(threshold, flat, multi_label).spans(scores)
        assert found == greedy(of_spans(scores, threshold), flat, multi_label)


@pytest.mark.parametrize(("threshold", "flat", "multi_label"), SETTINGS)
def test_spans_of_a_token_level_graph(threshold: float, flat: bool, multi_label: bool) -> None:
    for seed in range(25):
        scores = random_scores(seed, (1 + seed % 9, 1 + seed % 4, 3))
        scores[..., 2] = np.maximum(scores[..., 2], 0.4)  # or else few words would be inside
        found = Search(threshold, flat, multi_label).spans_of_tokens(scores)
        assert found == greedy(of_tokens(scores, threshold), flat, multi_label)


@pytest.mark.parametrize("flat", [True, False])
def test_a_threshold_that_lets_everything_through_is_answered_for_one_label_of_each_span(flat: bool) -> None:
    """As many words and labels as a request may have."""
    scores = random_scores(1, (384, 12, 1000))
    found = Search(-1.0, flat, multi_label=False).spans(scores)
    assert {span.start for span in found} == set(range(384)) if flat else len(found) > 384


def test_more_candidates_than_are_looked_at_are_an_error() -> None:
    scores = random_scores(2, (384, 12, 1000))
    with pytest.raises(TooManySpansError):
        Search(-1.0, flat=True, multi_label=True).spans(scores)
    side = int((2 * MAX_SPANS) ** 0.5) + 2
    with pytest.raises(TooManySpansError):
        Search(-1.0, flat=True, multi_label=False).spans_of_tokens(random_scores(3, (side, 1, 3)))


def test_the_best_label_of_each_span_is_kept_where_labels_are_many() -> None:
    scores = random_scores(4, (60, 120, 3))
    found = Search(-1.0, flat=False, multi_label=False).spans_of_tokens(scores)
    every = of_tokens(scores, -1.0)
    best: dict[tuple[int, int], Candidate] = {}
    for each in sorted(every, key=lambda candidate: (-candidate[3], candidate[0], candidate[2], candidate[1])):
        best.setdefault(each[:2], each)
    assert len(every) > MAX_SPANS
    assert found == greedy(list(best.values()), flat=False, multi_label=False)
