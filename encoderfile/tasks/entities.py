"""Entities out of token labels, by all the rules of transformers' TokenClassificationPipeline.

They are in pipelines/token_classification.py: a text gives the same spans, scores and words here, odd ones too.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from encoderfile.tasks.abilities import Entity
from encoderfile.tasks.numerics import softmax
from encoderfile.types import STRATEGIES, FloatArray, TokenInfo

_WORD_STRATEGIES = ("first", "average", "max")
_OUTSIDE = "O"


class WordRules(NamedTuple):
    """What grouping tokens into words needs of a model's tokenizer."""

    spell: Callable[[int], str]
    """A token id to the vocabulary's spelling, without the spaces that an added token takes in."""
    join: Callable[[Sequence[str]], str]
    """Tokens to text: the tokenizer's decoder."""
    continuing_prefix: str | None = None
    """What marks a token that continues a word (`##`); None: words are separated by spaces."""
    unknown_id: int | None = None
    """The token for unknown words: it always begins a word, spelled as in the text."""


class _Span(NamedTuple):
    """One token, or one word of several: what groups are made of."""

    label: str
    score: np.float32
    word: str
    start: int
    end: int


def entities(
    tokens: Sequence[TokenInfo],
    logits: FloatArray,
    text: str,
    labels: Sequence[str],
    strategy: str,
    words: WordRules,
    scores: FloatArray | None = None,
) -> list[Entity]:
    """The entities of one text, in order, those labelled O left out.

    `tokens` are those of `text` without special ones, `logits` float32 [tokens, labels]; `scores` are theirs, if
    they are not their softmax. Raises `ValueError` for a strategy that is not one of `STRATEGIES`.
    """
    if strategy not in STRATEGIES:
        raise ValueError(f"the strategy {strategy} is not known: choose {', '.join(STRATEGIES)}")
    # Always softmax, whatever `problem_type` says: the reference knows nothing else here.
    scores = softmax(logits) if scores is None else scores
    spelled = _spelled(tokens, text, words)
    if strategy in _WORD_STRATEGIES:
        spans = list(_words(tokens, spelled, text, scores, labels, strategy, words))
    else:
        best = zip(logits.argmax(axis=-1), scores.max(axis=-1), spelled, tokens, strict=True)
        spans = [_Span(labels[index], score, word, token.start, token.end) for index, score, word, token in best]
    if strategy == "none":
        return [Entity(span[0], _short(span.score), *span[2:]) for span in spans if span.label != _OUTSIDE]
    return [_entity(group, words) for group in _groups(spans) if _type(group[0].label) != _OUTSIDE]


def merged(windows: Iterable[Sequence[Entity]]) -> list[Entity]:
    """The entities of overlapping windows over one text: of those that overlap the longest, then the surest."""
    found = sorted((entity for window in windows for entity in window), key=lambda entity: entity.start)
    kept: list[Entity] = []
    for entity in found:
        if kept and kept[-1].start <= entity.start < kept[-1].end:
            rival = kept[-1]
            if (entity.end - entity.start, entity.score) > (rival.end - rival.start, rival.score):
                kept[-1] = entity
        else:
            kept.append(entity)
    return kept


def _spelled(tokens: Sequence[TokenInfo], text: str, words: WordRules) -> list[str]:
    """Each token as text: the vocabulary's spelling, or the text's own where the vocabulary has none."""
    return [
        text[token.start : token.end] if token.token_id == words.unknown_id else words.spell(token.token_id)
        for token in tokens
    ]


def _words(
    tokens: Sequence[TokenInfo],
    spelled: Sequence[str],
    text: str,
    scores: FloatArray,
    labels: Sequence[str],
    strategy: str,
    words: WordRules,
) -> Iterable[_Span]:
    """Whole words, each with one label."""
    continues = (_continues(token, word, text, words) for token, word in zip(tokens, spelled, strict=True))
    begins = [index for index, joined in enumerate(continues) if index == 0 or not joined]
    for first, end in itertools.pairwise([*begins, len(spelled)]):
        own = scores[first:end]
        if strategy == "average":
            row = np.nanmean(own, axis=0)
        else:
            row = own[0 if strategy == "first" else int(own.max(axis=1).argmax())]
        best = int(row.argmax())
        label = labels[best]
        # Words outside of entities are never shown, and joining takes time.
        word = "" if _tag(label) == _OUTSIDE else words.join(spelled[first:end])
        yield _Span(label, row[best], word, tokens[first].start, tokens[end - 1].end)


def _continues(token: TokenInfo, spelled: str, text: str, words: WordRules) -> bool:
    """Whether a token belongs to the word before it."""
    if token.token_id == words.unknown_id:
        return False
    if words.continuing_prefix:
        # Not "begins with the prefix": the reference compares lengths, and so a token that the normaliser
        # made longer or shorter than its text counts as a continuation too.
        return len(spelled) != token.end - token.start
    return token.start > 0 and " " not in text[token.start - 1 : token.start + 1]


def _groups(spans: Sequence[_Span]) -> Iterable[list[_Span]]:
    """Neighbours of one type; B- begins anew, a label without prefix continues."""
    group: list[_Span] = []
    for span in spans:
        if group and (span.label.startswith("B-") or _tag(span.label) != _tag(group[-1].label)):
            yield group
            group = []
        group.append(span)
    if group:
        yield group


def _tag(label: str) -> str:
    return label[2:] if label.startswith(("B-", "I-")) else label


def _type(label: str) -> str:
    """The name of a group: here the reference cuts at the first hyphen, whatever stands before it."""
    return label.split("-", 1)[-1]


def types_of(labels: Sequence[str]) -> list[str]:
    """What entities may be called, in the order of the labels."""
    return list(dict.fromkeys(_type(label) for label in labels if _tag(label) != _OUTSIDE))


def _entity(group: Sequence[_Span], words: WordRules) -> Entity:
    score = _short(np.nanmean([span.score for span in group]))
    word = words.join([span.word for span in group])
    return Entity(_type(group[0].label), score, word, group[0].start, group[-1].end)


def _short(score: np.float32) -> float:
    """The double that prints with as few digits as the float32 does."""
    return float(str(score))
