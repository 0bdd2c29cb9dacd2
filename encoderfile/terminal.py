"""What a stream can show: whether a person reads it, how wide it is, and whether it takes colour and line drawing.

https://no-color.org and https://force-color.org say what `NO_COLOR` and `FORCE_COLOR` mean.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TextIO

_COLUMNS, _FEWEST = 80, 20
"""Where the width is not known, and what is taken of a narrower terminal: what is longer wraps there."""

_STYLES = {
    "bold": "1",
    "dim": "2",
    "underline": "4",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
}
"""By the numbers of ECMA-48; the terminal's own palette, which suits its background."""


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person reads what is written to `stream`."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def redraws(stream: TextIO | None) -> bool:
    """Whether a line of `stream` can be drawn again in place."""
    return is_terminal(stream) and os.environ.get("TERM") != "dumb"


def columns(stream: TextIO | None) -> int:
    """The width of the terminal that `stream` is, or a usual one; `COLUMNS` says it for both."""
    given = os.environ.get("COLUMNS", "")
    found = int(given) if given.isascii() and given.isdigit() else 0
    if not found and stream is not None:
        try:
            found = os.get_terminal_size(stream.fileno()).columns
        except (OSError, ValueError):
            found = 0
    return max(found or _COLUMNS, _FEWEST)


def _takes_colour(stream: TextIO | None) -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    return os.environ.get("FORCE_COLOR", "0") not in ("", "0") or redraws(stream)


@dataclass(frozen=True, slots=True)
class Screen:
    """How something is drawn."""

    columns: int = _COLUMNS
    colour: bool = False
    encoding: str = "utf-8"

    @classmethod
    def of(cls, stream: TextIO | None) -> Screen:
        """That of a stream: a terminal, or a file that gets the same without colour."""
        encoding = getattr(stream, "encoding", None) or "utf-8"
        return cls(columns(stream), _takes_colour(stream), encoding)

    def styled(self, text: str, style: str) -> str:
        """`text` in a style (`bold cyan`), where there is colour."""
        if not (self.colour and style and text):
            return text
        codes = ";".join(_STYLES[name] for name in style.split())
        return f"\x1b[{codes}m{text}\x1b[0m"

    def bar(self, share: float, width: int) -> str:
        """`share`, from 0 to 1, of a line of `width` columns, and nothing behind it."""
        halves = round(2 * width * min(max(share, 0.0), 1.0))
        if self.encoding.lower().replace("-", "") != "utf8":
            return "=" * (halves // 2)
        return "━" * (halves // 2) + "╸" * (halves % 2)

    def encode(self, line: str) -> bytes:
        """`line` as the stream takes it, with its end; what its encoding does not have is escaped."""
        return f"{line}\n".encode(self.encoding, "backslashreplace")
