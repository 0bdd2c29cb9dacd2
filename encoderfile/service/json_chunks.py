"""JSON in chunks that take a millisecond each to write, so that the event loop can go on between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

Chunks = Iterator[bytes | memoryview]

_ROWS = 64
"""Rows of one array, or tokens of one text, that are written at once: some ten thousand floats."""


def json_chunks(content: Any) -> Chunks:
    """JSON of anything, floats in shortest form straight from float32.

    An iterator, or one in an object or in another, becomes a list, written entry by entry; lists and arrays of many
    rows are written in blocks.
    """
    return _object(content) if isinstance(content, Mapping) else _value(content)


def _object(content: Mapping[str, Any]) -> Chunks:
    head = b"{"
    for name, value in content.items():
        yield b"%b%b:" % (head, dumps(name))
        yield from _value(value)
        head = b","
    yield b"}" if head == b"," else b"{}"


def _entries(entries: Iterator[Any]) -> Chunks:
    head = b"["
    for entry in entries:
        yield head
        yield from _value(entry)
        head = b","
    yield b"]" if head == b"," else b"[]"


def _value(value: Any) -> Chunks:
    if isinstance(value, Iterator):
        yield from _entries(value)
    elif not _is_large(value):
        yield dumps(value)
    elif isinstance(value, dict):
        yield from _object(value)
    else:
        head = b"["
        for start in range(0, len(value), _ROWS):
            yield head
            yield memoryview(dumps(value[start : start + _ROWS]))[1:-1]
            head = b","
        yield b"]"


def _is_large(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_is_large, value.values()))
    has_rows = isinstance(value, list) or getattr(value, "ndim", 0) == 2
    return len(value) > _ROWS if has_rows else isinstance(value, Iterator)


def dumps(value: object) -> bytes:
    """Small JSON at once."""
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)
