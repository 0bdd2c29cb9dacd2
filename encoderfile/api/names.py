"""Model types and ways to truncate, as enumerations whose members are plain strings."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from encoderfile.api.failures import InvalidError

E = TypeVar("E", bound=StrEnum)


class ModelType(StrEnum):
    """What a model answers."""

    Embedding = "embedding"
    SentenceEmbedding = "sentence_embedding"
    SequenceClassification = "sequence_classification"
    TokenClassification = "token_classification"
    ZeroShotClassification = "zero_shot_classification"
    ZeroShotTokenClassification = "zero_shot_token_classification"


class TokenizerTruncationSide(StrEnum):
    """The side on which a long text loses tokens."""

    Left = "left"
    Right = "right"


class TokenizerTruncationStrategy(StrEnum):
    """Which text of a pair loses tokens."""

    LongestFirst = "longest_first"
    OnlyFirst = "only_first"
    OnlySecond = "only_second"


def member(kind: type[E], value: str, what: str) -> E:
    """The member of `kind` with this value. Raises `InvalidError`, naming `what` and the members that there are."""
    try:
        return kind(value)
    except ValueError as error:
        raise InvalidError(f"{what} is {value!r}: choose {' or '.join(kind)}") from error
