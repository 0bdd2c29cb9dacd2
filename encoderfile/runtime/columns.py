"""What the rows of an answer hold, in the order in which it is shown: from what a model type's result declares."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any, NamedTuple

from encoderfile.tasks.abilities import Extracted
from encoderfile.tasks.results import FieldType, Result, fields


class Shown(IntEnum):
    """How a column is shown; in this order, for what is a user's own text comes last (`tables`)."""

    SCORE = 1
    VECTOR = 2
    """Where there is no score."""
    NAME = 3
    SPAN = 4
    """`start` and `end` of what was found in the text, in code points."""
    TOKEN = 5
    """The same of a token."""
    TEXT = 6


class Column(NamedTuple):
    """One value per row."""

    shown: Shown
    values: Sequence[Any]


_KINDS = {
    FieldType.FLOAT: Shown.SCORE,
    FieldType.FLOATS: Shown.VECTOR,
    FieldType.STRING: Shown.NAME,
    FieldType.INDEX: Shown.NAME,
}


def columns(answer: Result | Extracted) -> list[Column]:
    """The columns of an answer that is a list; none for one that is not."""
    if isinstance(answer, Extracted):
        found = [
            Column(Shown.SCORE, [each.score for each in answer.entities]),
            Column(Shown.NAME, [each.entity_group for each in answer.entities]),
            Column(Shown.SPAN, [(each.start, each.end) for each in answer.entities]),
            Column(Shown.TEXT, [each.word for each in answer.entities]),
        ]
    elif answer.rows is not None:
        found = _declared(answer)
    else:
        return []
    scored = any(each.shown is Shown.SCORE for each in found)
    return sorted(
        (each for each in found if not (scored and each.shown is Shown.VECTOR)), key=lambda each: each.shown
    )


def _declared(answer: Result) -> list[Column]:
    found, ends = [], {}
    for each in fields(type(answer)):
        values = getattr(answer, each.attribute)
        if each.type is FieldType.TOKEN:
            found.append(Column(Shown.TOKEN, [(token.start, token.end) for token in values]))
            found.append(Column(Shown.TEXT, [token.token for token in values]))
        elif each.name in ("start", "end"):
            ends[each.name] = values
        else:
            found.append(Column(Shown.TEXT if each.name == "text" else _KINDS[each.type], values))
    if len(ends) == 2:
        found.append(Column(Shown.SPAN, list(zip(ends["start"], ends["end"], strict=True))))
    return found
