"""From decoded JSON or msgpack to a declared shape, and what is wrong said in one sentence that names the place."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from encoderfile.service.known_fields import FieldError

S = TypeVar("S", bound=msgspec.Struct)

_NAMES = {
    "str": "a string",
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "array": "a list",
    "object": "an object",
    "null": "null",
    "bytes": "bytes",
}
_EXPECTED = re.compile(r"Expected `([^`]+)`(?:, got `([^`]+)`)?(.*)")
_FIELD = re.compile(r"(.*) `(.+)`")


def read(body: object, shape: type[S]) -> S:
    """`body` as `shape` declares it; fields that it does not declare are passed over.

    Raises `FieldError` with the name of the field at fault.
    """
    try:
        return msgspec.convert(body, shape)
    except msgspec.ValidationError as error:
        raise _failure(str(error)) from error


def _failure(message: str) -> FieldError:
    """msgspec's message, such as "Expected `str`, got `int` - at `$.items[0].text`", in our words."""
    what, _, where = message.partition(" - at ")
    path = where.removeprefix("key in ").strip("`").removeprefix("$").lstrip(".")
    field = re.split(r"[.\[]", path, maxsplit=1)[0]
    expected = _EXPECTED.fullmatch(what)
    if expected is not None:
        wanted, got, more = expected.groups()
        kinds = [kind for kind in wanted.split(" | ") if kind != "null"]
        names = " or ".join(_NAMES.get(kind, kind) for kind in kinds)
        found = f", got {_got(got)}" if got else more
        return FieldError(f"{path or 'the body'} should be {names}{found}", field)
    named = _FIELD.fullmatch(what)
    if named is not None and "missing required" in named[1]:
        missing = f"{path}.{named[2]}" if path else named[2]
        return FieldError(f"the field {missing} is missing", field or named[2])
    if named is not None and "unknown field" in named[1]:
        return FieldError(f"{path} has a field {named[2]!r}, which is not known here", field)
    return FieldError(f"{path} is not valid: {what}", field)


def _got(kind: str) -> str:
    return {"bool": "a boolean", "int": "a number"}.get(kind, _NAMES.get(kind, kind))
