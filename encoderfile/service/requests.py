"""Request shapes: a decoded body becomes a `msgspec.Struct`, or a sentence that names the place at fault."""

from __future__ import annotations

import re
import typing
from typing import Any, TypeVar

import msgspec

from encoderfile.errors import InputError
from encoderfile.service.known_fields import FieldError

S = TypeVar("S")

_WORDS = {
    "str": "a string",
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "array": "a list",
    "object": "an object",
}
_FOUND = {**_WORDS, "bool": "a boolean", "int": "a number", "null": "null"}

_EXPECTED = re.compile(r"Expected `([^`]*)`(?: of length)?(?: (>=|<=) (\d+))?(?:, got `([^`]*)`)?")
_MISSING = re.compile(r"Object missing required field `([^`]*)`")
_PLACE = re.compile(r" - at (?:`key` in )?`\$\.?([^`]*)`$")


def read(body: object, shape: type[S], place: str = "") -> S:
    """`body` as a `shape`; fields that the shape does not have are ignored. `place` is where the body stands.

    Raises `FieldError` for a field that is missing or of another type, `InputError` for a body that is no object.
    """
    try:
        return msgspec.convert(body, shape)
    except msgspec.ValidationError as error:
        message = str(error)
        at = _PLACE.search(message)
        inside = at[1] if at else ""
        missing = _MISSING.match(message)
        if missing:
            name = f"{inside}.{missing[1]}".lstrip(".")
            raise FieldError(f"the field {place}{name} is missing", _first(name)) from error
        where = f"{place}{inside}"
        sentence = f"{where or 'the body'} {_fault(message, shape, inside)}"
        raise (FieldError(sentence, _first(where)) if where else InputError(sentence)) from error


def _first(path: str) -> str:
    return re.split(r"[.\[]", path, maxsplit=1)[0]


def _fault(message: str, shape: Any, path: str) -> str:
    expected = _EXPECTED.match(message)
    if expected is None:
        return f"should be one of {', '.join(map(str, _choices(shape, path)))}"
    kinds, bound, limit, found = expected.groups()
    if bound:
        many = kinds == "array"
        if many and (bound, limit) == (">=", "1"):
            return "is empty: send at least one"
        return f"should {'hold' if many else 'be'} at {'least' if bound == '>=' else 'most'} {limit}"
    wanted = " or ".join(_WORDS[kind] for kind in kinds.split(" | ") if kind in _WORDS)
    return f"should be {wanted}" + (f", got {_FOUND.get(found, 'another type')}" if found else "")


def _choices(hint: Any, path: str) -> list[Any]:
    """The values of the `Literal` at `path` of a shape."""
    for step in filter(None, re.split(r"[.\[]", path)):
        inner = _arguments(hint)
        if not step.endswith("]"):
            (hint,) = (typing.get_type_hints(each)[step] for each in inner if hasattr(each, "__struct_fields__"))
        else:
            (hint,) = (typing.get_args(each)[-1] for each in inner if typing.get_origin(each) in (list, dict))
    return [value for each in _arguments(hint) for value in typing.get_args(each)]


def _arguments(hint: Any) -> tuple[Any, ...]:
    """The members of a union; another hint alone."""
    is_choice = typing.get_origin(hint) in (typing.Literal, list, dict)
    return (hint,) if is_choice else typing.get_args(hint) or (hint,)
