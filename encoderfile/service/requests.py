"""Request shapes: a body becomes a `msgspec.Struct`, or a sentence that names what is wrong; their JSON Schema."""

from __future__ import annotations

import functools
import re
import reprlib
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from encoderfile.errors import InputError
from encoderfile.service import known_fields
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
_FIELD = re.compile(r"Object (missing required|contains unknown) field `([^`]*)`")
_PLACE = re.compile(r" - at (`key` in )?`\$\.?([^`]*)`$")


def read(body: object, shape: type[S]) -> S:
    """`body` as a `shape`; unknown fields are ignored unless the shape forbids them.

    Raises `FieldError` for a field that is missing or of another type, `InputError` for a body that is not an object.
    """
    try:
        return msgspec.convert(body, shape)
    except msgspec.ValidationError as error:
        raise _failure(str(error), shape) from error


def reader(shape: type[S]) -> Callable[[object], S]:
    """`read`, which also refuses fields that other servers have and the shape does not have (`known_fields`)."""
    supported = functools.cache(lambda: _fields(shape))

    def read_known(body: object) -> S:
        found = read(body, shape)
        assert isinstance(body, Mapping)
        known_fields.check(body, supported())
        return found

    return read_known


def _fields(shape: Any) -> dict[str, Any]:
    """The fields of a shape, and of those that are shapes themselves again the fields."""
    hints = typing.get_type_hints(shape)
    return {
        name: next((_fields(each) for each in _arguments(hints[name]) if hasattr(each, "__struct_fields__")), {})
        for name in shape.__struct_fields__
    }


def _failure(message: str, shape: Any) -> InputError:
    """msgspec's message, such as "Expected `str`, got `int` - at `$.items[0].text`", in our words."""
    at = _PLACE.search(message)
    path = at[2] if at else ""
    field = _FIELD.match(message)
    if field and field[1] == "missing required":
        missing = f"{path}.{field[2]}".lstrip(".")
        return FieldError(f"the field {missing} is missing", _first(missing))
    place = path or "the body"
    if field:
        sentence = f"{place} has a field {reprlib.repr(field[2])}, which is not known here"
    elif at and at[1]:
        sentence = f"a key of {place} is not a string"
    elif expected := _EXPECTED.match(message):
        sentence = f"{place} {_wanted(*expected.groups())}"
    else:
        sentence = f"{place} should be one of {', '.join(map(str, _choices(shape, path)))}"
    return FieldError(sentence, _first(path)) if path else InputError(sentence)


def _wanted(kinds: str, bound: str | None, limit: str | None, found: str | None) -> str:
    if kinds == "array" and (bound, limit) == (">=", "1"):
        return "is empty: send at least one"
    if bound:
        return f"should {'hold' if kinds == 'array' else 'be'} at {'least' if bound == '>=' else 'most'} {limit}"
    wanted = " or ".join(_WORDS[kind] for kind in kinds.split(" | ") if kind in _WORDS)
    return f"should be {wanted}" + (f", got {_FOUND.get(found, 'another type')}" if found else "")


def _first(path: str) -> str:
    """The field of the body that a path begins with."""
    return re.split(r"[.\[]", path, maxsplit=1)[0]


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


def json_schema(shape: Any) -> dict[str, Any]:
    """JSON Schema of `shape`, with everything it refers to inside it; what may be null has it among its types."""
    whole = msgspec.json.schema(shape)
    found: dict[str, Any] = _plain(whole, whole.get("$defs", {}))
    found.pop("$defs", None)
    return found


def _plain(schema: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_plain(each, definitions) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _plain(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    found = {name: _plain(value, definitions) for name, value in schema.items() if not _is_noise(name, value)}
    if "enum" in found:
        found.setdefault("type", "string")  # a `Literal` has no other values here
    choices = [each for each in found.get("anyOf", ()) if each != {"type": "null"}]
    if len(choices) == 1:
        (choice,) = choices
        del found["anyOf"]
        enum = {"enum": [*choice["enum"], None]} if "enum" in choice else {}
        return {**choice, "type": [choice["type"], "null"], **enum, **found}
    return found


def _is_noise(name: str, value: object) -> bool:
    """The names of our classes, and that a field which may be left out is null by default."""
    return (name == "title" and isinstance(value, str)) or (name == "default" and value is None)
