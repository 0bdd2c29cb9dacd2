"""One reader per kind of file: content to texts, in order.

A reader takes the content and the name of the field or column with the texts; None: `text`, and beside it `text_pair`
for the second text of a pair. Each raises `InputError` that names the line at fault.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from encoderfile.errors import InputError
from encoderfile.types import Text

Reader = Callable[[str, str | None], Iterator[Text]]


def parsed(content: str) -> Any:
    """The value of a JSON text; None for text that is not JSON, and for null."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _lines(content: str) -> list[str]:
    """Without the blank ones at the end."""
    return content.rstrip("\r\n").split("\n") if content.strip() else []


def _text(content: str, _: str | None) -> Iterator[Text]:
    for number, line in enumerate(_lines(content), start=1):
        if not line.rstrip("\r"):
            raise InputError(f"line {number} is empty")
        yield line.rstrip("\r")


def _jsonl(content: str, column: str | None) -> Iterator[Text]:
    for number, line in enumerate(_lines(content), start=1):
        yield _entry(parsed(line), column, f"line {number}")


def _json(content: str, column: str | None) -> Iterator[Text]:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        if "Extra data" in str(error):  # a second value: JSON Lines under the name of JSON
            yield from _jsonl(content, column)
            return
        raise InputError(f"the file is not JSON ({error})") from error
    if isinstance(value, list):
        for number, each in enumerate(value, start=1):
            yield _entry(each, column, f"entry {number}")
    else:
        yield _entry(value, column, "the one entry")


def _entry(value: Any, column: str | None, place: str) -> Text:
    """A text, or an object with one."""
    if isinstance(value, str) and value and column is None:
        return value
    text = value.get(column or "text") if isinstance(value, dict) else None
    if not isinstance(text, str) or not text:
        raise InputError(f"{place} is not a JSON object with a text" + (f" in {column}" if column else ""))
    pair = value.get("text_pair") if column is None else None
    if pair is None:
        return text
    if not isinstance(pair, str):
        raise InputError(f"{place} has a text_pair that is not a string")
    return text, pair


def _csv(content: str, column: str | None, delimiter: str = ",") -> Iterator[Text]:
    csv.field_size_limit(1 << 30)
    reader = csv.reader(io.StringIO(content.rstrip("\r\n"), newline=""), delimiter=delimiter, strict=True)
    try:
        header = next(reader, [])
        at = _position(header, column or "text")
        pair = _position(header, "text_pair") if column is None and "text_pair" in header else None
        for cells in reader:
            if len(cells) != len(header):
                reason = f"has {len(cells)} fields and the first line {len(header)}" if cells else "is empty"
                raise InputError(f"line {reader.line_num} {reason}")
            if not cells[at]:
                raise InputError(f"line {reader.line_num} has no text in {header[at]}")
            yield cells[at] if pair is None else (cells[at], cells[pair])
    except csv.Error as error:
        raise InputError(f"line {reader.line_num} is not what the format has ({error})") from error


def _position(header: Sequence[str], column: str) -> int:
    found = [index for index, name in enumerate(header) if name.strip() == column]
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(f"the first line has the column {column} more than once")
    names = ", ".join(header)
    raise InputError(f"the first line has no column {column}, only {names}: choose the texts with --column")


READERS: dict[str, Reader] = {
    "text": _text,
    "jsonl": _jsonl,
    "json": _json,
    "csv": _csv,
    "tsv": partial(_csv, delimiter="\t"),
}
"""Under the names of `settings.INPUT_FORMATS`."""
