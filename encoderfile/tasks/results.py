"""How a result is declared: its attributes that a caller sees, and what each is.

JSON, JSON Schema, protobuf and the builder's comparison are derived from the declaration.
"""

from __future__ import annotations

import functools
from enum import Enum
from typing import Any, ClassVar, NamedTuple, get_type_hints

import numpy as np

from encoderfile.types import FloatArray, TokenInfo

JsonSchema = dict[str, Any]


class FieldType(Enum):
    """What a field holds: a float32 [n] array, a number, a whole number from 0, a string, or a `TokenInfo`."""

    FLOATS = "floats"
    FLOAT = "float"
    INDEX = "index"
    STRING = "string"
    TOKEN = "token"


class Field(NamedTuple):
    """One field of a result, or of each of its rows; its attribute is annotated with it."""

    type: FieldType
    description: str = ""
    name: str = ""
    """In JSON and protobuf; in an annotation empty where it is the attribute's."""
    attribute: str = ""
    """Of the result: the value, or one value per row."""


floats = functools.partial(Field, FieldType.FLOATS)
"""A float32 [n] array, or [rows, n]: `Annotated[FloatArray, floats("What it holds.")]`."""
number = functools.partial(Field, FieldType.FLOAT)
index = functools.partial(Field, FieldType.INDEX)
string = functools.partial(Field, FieldType.STRING)
token = functools.partial(Field, FieldType.TOKEN)


class Rows(NamedTuple):
    """The list of rows that a result is made of, where it is not one row."""

    name: str
    description: str


class Result:
    """What a task gives for one input: a dataclass. Attributes without a `Field` are not part of the answer."""

    __slots__ = ()
    rows: ClassVar[Rows | None] = None
    """Given where the answer is a list, for instance one row per token: each field then holds one value per row."""


def fields(result: type[Result]) -> tuple[Field, ...]:
    """The declared fields, in order."""
    return _fields(result)  # type: ignore[arg-type]  # mypy does not see that a class has a hash


@functools.cache
def _fields(result: type[Result]) -> tuple[Field, ...]:
    found = []
    for attribute, annotated in get_type_hints(result, include_extras=True).items():
        for declared in getattr(annotated, "__metadata__", ()):
            if isinstance(declared, Field):
                found.append(declared._replace(attribute=attribute, name=declared.name or attribute))
    return tuple(found)


def to_json(result: Result) -> dict[str, Any]:
    """The HTTP form of one result; arrays stay arrays, for a serialiser that prints float32 shortest."""
    declared = fields(type(result))
    if result.rows is None:
        return {each.name: getattr(result, each.attribute) for each in declared}
    names = [each.name for each in declared]
    columns = [
        map(TokenInfo._asdict, column) if each.type is FieldType.TOKEN else column
        for each, column in ((each, getattr(result, each.attribute)) for each in declared)
    ]
    return {result.rows.name: [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]}


def numbers(result: Result) -> FloatArray:
    """What the model itself gave, float32 [rows, n]: the first field that holds numbers."""
    first = next(each for each in fields(type(result)) if each.type in (FieldType.FLOATS, FieldType.FLOAT))
    found: FloatArray = np.atleast_2d(np.asarray(getattr(result, first.attribute), dtype=np.float32))
    return found


def float_fields(result: type[Result]) -> int:
    """How many arrays of floats a row holds."""
    return sum(each.type is FieldType.FLOATS for each in fields(result))


_SCHEMAS: dict[FieldType, JsonSchema] = {
    FieldType.FLOATS: {"type": "array", "items": {"type": "number"}},
    FieldType.FLOAT: {"type": "number"},
    FieldType.INDEX: {"type": "integer", "minimum": 0},
    FieldType.STRING: {"type": "string"},
    FieldType.TOKEN: {
        "type": "object",
        "properties": {
            "token": {"type": "string", "description": "The token's text."},
            "token_id": {"type": "integer", "minimum": 0, "description": "Its id in the vocabulary."},
            "start": {"type": "integer", "minimum": 0, "description": "First code point in the input."},
            "end": {"type": "integer", "minimum": 0, "description": "One past the last code point."},
        },
        "required": ["token", "token_id", "start", "end"],
    },
}


def schema(result: type[Result]) -> JsonSchema:
    """JSON Schema of `to_json`."""
    properties = {
        each.name: {**_SCHEMAS[each.type], **({"description": each.description} if each.description else {})}
        for each in fields(result)
    }
    row = {"type": "object", "properties": properties, "required": list(properties)}
    if result.rows is None:
        return row
    listed = {"type": "array", "items": row, "description": result.rows.description}
    return {"type": "object", "properties": {result.rows.name: listed}, "required": [result.rows.name]}
