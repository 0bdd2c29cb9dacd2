"""The texts of `infer`: arguments, a file, standard input; one text a line, or JSONL with `text`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from encoderfile.errors import ConfigError, InputError


def texts(arguments: tuple[str, ...], source: str | None) -> list[str]:
    """The texts, in order. Raises `InputError` for a line that holds none, `ConfigError` for a file unread."""
    if source is None:
        return list(arguments)
    found = list(_lines(_read(source)))
    if not found:
        raise InputError(f"{_name(source)} holds no text")
    return found


def _read(source: str) -> str:
    try:
        data = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"cannot read {source}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{_name(source)} is not UTF-8 text (byte {error.start})") from error


def _name(source: str) -> str:
    return "standard input" if source == "-" else source


def _lines(content: str) -> Iterator[str]:
    """A file is JSONL when its first line is an object with `text`; blank lines at the end count for nothing."""
    lines = content.rstrip("\r\n").split("\n") if content.strip() else []
    jsonl = bool(lines) and "text" in _json_object(lines[0])
    for number, line in enumerate(lines, start=1):
        text = _json_object(line).get("text") if jsonl else line.rstrip("\r")
        if not text or not isinstance(text, str):
            reason = "is no JSON object with a text" if jsonl else "is empty"
            raise InputError(f"line {number} {reason}")
        yield text


def _json_object(line: str) -> dict[str, Any]:
    """The object that the line is, or an empty one."""
    if not line.lstrip().startswith("{"):
        return {}
    try:
        found: dict[str, Any] = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found
