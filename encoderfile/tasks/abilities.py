"""What a model can do beside `/predict`, and what each ability gives."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Ability(StrEnum):
    """One more way to ask a model. The first three are kinds of vectors, as `Task.dims` names them."""

    DENSE = "dense"
    MULTIVECTOR = "multivector"
    SPARSE = "sparse"
    TOKENS = "tokens"
    """One vector per token, as the graph gives it."""
    SCORE = "score"
    """How well texts answer a query."""
    EXTRACT = "extract"
    """Entities or labels of a text."""


class Classification(NamedTuple):
    """One label of a text."""

    label: str
    score: float


class Entity(NamedTuple):
    """One span. `start` and `end` are code points of the text, `end` exclusive.

    `entity_group` is the type without B- or I-; with the strategy none it is the label as it stands. `word` is
    put together from tokens, as the reference does; the original characters are `text[start:end]`.
    """

    entity_group: str
    score: float
    word: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Extracted:
    """What was found in one text: entities in the order of the text, or every label, best first."""

    entities: tuple[Entity, ...] = ()
    classifications: tuple[Classification, ...] = ()
