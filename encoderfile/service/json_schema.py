"""JSON Schema of a declared shape, with everything it refers to inside it."""

from __future__ import annotations

from typing import Any

import msgspec


def of(shape: type[msgspec.Struct]) -> dict[str, Any]:
    """The schema of `shape`; what may be null has it among its types."""
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
    choices = [each for each in found.get("anyOf", ()) if each != {"type": "null"}]
    if len(choices) == 1:
        (choice,) = choices
        del found["anyOf"]
        return {**choice, "type": [choice["type"], "null"], **found}
    return found


def _is_noise(name: str, value: object) -> bool:
    """The names of our classes, and that a field which may be left out is null by default."""
    return (name == "title" and isinstance(value, str)) or (name == "default" and value is None)
