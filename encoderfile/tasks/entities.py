"""Entities out of token labels, as the reference pipeline finds them.

The rules are those of transformers' TokenClassificationPipeline (pipelines/token_classification.py), ties, odd
words and all, so that a text gives the spans, scores and words that it gives there.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from encoderfile.tasks.base import softmax
from encoderfile.types import STRATEGIES, FloatArray, TokenInfo, TokenLabels

_WORD_STRATEGIES = ("first", "average", "max")
_OUTSIDE = "O"


@dataclass(frozen=True, slots=True)
class Entity:
    """One span. `start` and `end` are code points of the text, `end` exclusive.

    `entity_group` is the type without B- or I-; with the strategy none it is the label as it stands. `word` is
    put together from tokens, as the reference does; the original characters are `text[start:end]`.
    """

    entity_group: str
    score: float
    word: str
    start: int
    end: int

    def to_json(self) -> dict[str, Any]:
        """The entity under the names the reference uses."""
        return {
            "entity_group": self.entity_group,
            "score": self.score,
            "word": self.word,
            "start": self.start,
            "end": self.end,
        }


@dataclass(frozen=True, slots=True)
class WordRules:
    """What grouping needs of a model beside its answer."""

    labels: tuple[str, ...]
    """The name of each column of the logits."""
    spell: Callable[[int], str]
    """A token id to the vocabulary's spelling, which lacks the spaces that an added token takes in."""
    join: Callable[[Sequence[str]], str]
    """Tokens to text: the tokenizer's decoder."""
    continuing_prefix: str | None = None
    """What marks a token that continues a word (`##`); without it, words are told apart by spaces."""
    unknown_id: int | None = None
    """The token for what the vocabulary lacks: it always begins a word, spelled as in the text."""


class _Piece(NamedTuple):
    """One token, or one word of several: what groups are made of."""

    label: str
    score: np.float32
    word: str
    start: int
    end: int


def entities(
    result: TokenLabels, text: str, strategy: str = "simple", rules: WordRules | None = None
) -> list[Entity]:
    """The entities of one text, in order, those labelled O left out.

    `text` is the input that `result` answers. Without `rules` each `word` is `text[start:end]`, and only the
    strategies none and simple are possible. Raises `ValueError` for another strategy.
    """
    if strategy not in STRATEGIES:
        raise ValueError(f"the strategy {strategy} is not known: choose {', '.join(STRATEGIES)}")
    # Always softmax, whatever `problem_type` says: the reference knows nothing else here.
    scores = softmax(result.logits)
    if strategy in _WORD_STRATEGIES:
        if rules is None:
            raise ValueError(f"the strategy {strategy} needs the rules of the model's tokenizer")
        pieces = list(_words(result, text, scores, strategy, rules))
    else:
        rows = zip(result.labels, scores.max(axis=-1), _spelled(result, text, rules), result.tokens, strict=True)
        pieces = [_Piece(label, score, word, token.start, token.end) for label, score, word, token in rows]
    if strategy == "none":
        return [
            Entity(piece.label, _short(piece.score), piece.word, piece.start, piece.end)
            for piece in pieces
            if piece.label != _OUTSIDE
        ]
    return [_entity(group, text, rules) for group in _groups(pieces) if _type(group[0].label) != _OUTSIDE]


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


def _spelled(result: TokenLabels, text: str, rules: WordRules | None) -> list[str]:
    """Each token as text: the vocabulary's spelling, but what it lacks as the text has it."""
    if rules is None:
        return [token.token for token in result.tokens]
    return [
        text[token.start : token.end] if token.token_id == rules.unknown_id else rules.spell(token.token_id)
        for token in result.tokens
    ]


def _words(result: TokenLabels, text: str, scores: FloatArray, strategy: str, rules: WordRules) -> Iterable[_Piece]:
    """Whole words, each with one label."""
    spelled = _spelled(result, text, rules)
    continues = (_continues(token, word, text, rules) for token, word in zip(result.tokens, spelled, strict=True))
    begins = [index for index, joined in enumerate(continues) if index == 0 or not joined]
    for first, end in itertools.pairwise([*begins, len(spelled)]):
        own = scores[first:end]
        if strategy == "average":
            row = np.nanmean(own, axis=0)
        else:
            row = own[0 if strategy == "first" else int(own.max(axis=1).argmax())]
        best = int(row.argmax())
        label = rules.labels[best]
        # Words outside of entities are never shown, and joining takes time.
        word = "" if _tag(label) == _OUTSIDE else rules.join(spelled[first:end])
        yield _Piece(label, row[best], word, result.tokens[first].start, result.tokens[end - 1].end)


def _continues(token: TokenInfo, spelled: str, text: str, rules: WordRules) -> bool:
    """Whether a token belongs to the word before it."""
    if token.token_id == rules.unknown_id:
        return False
    if rules.continuing_prefix:
        # Not "begins with the prefix": the reference compares lengths, and so a token that the normaliser
        # made longer or shorter than its text counts as a continuation too.
        return len(spelled) != token.end - token.start
    return token.start > 0 and " " not in text[token.start - 1 : token.start + 1]


def _groups(pieces: Sequence[_Piece]) -> Iterable[list[_Piece]]:
    """Neighbours of one type; B- begins anew, a label without prefix continues."""
    group: list[_Piece] = []
    for piece in pieces:
        if group and (piece.label.startswith("B-") or _tag(piece.label) != _tag(group[-1].label)):
            yield group
            group = []
        group.append(piece)
    if group:
        yield group


def _tag(label: str) -> str:
    return label[2:] if label.startswith(("B-", "I-")) else label


def _type(label: str) -> str:
    """The name of a group: here the reference cuts at the first hyphen, whatever stands before it."""
    return label.split("-", 1)[-1]


def _entity(group: Sequence[_Piece], text: str, rules: WordRules | None) -> Entity:
    start, end = group[0].start, group[-1].end
    word = text[start:end] if rules is None else rules.join([piece.word for piece in group])
    return Entity(_type(group[0].label), _short(np.nanmean([piece.score for piece in group])), word, start, end)


def _short(score: np.float32) -> float:
    """The double that prints with as few digits as the float32 does."""
    return float(str(score))
