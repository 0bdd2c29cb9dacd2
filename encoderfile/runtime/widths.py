"""Any text on a terminal: made harmless, measured in columns, and cut to a width.

Widths follow UAX #11 and what terminals do (wcwidth): wide characters take two columns, combining ones none.
"""

from __future__ import annotations

import unicodedata

_JOINERS = "\u200c\u200d"
"""Persian and the scripts of India need them, and emoji are joined by them; they do nothing else."""

_MARKS = 4
"""Combining characters that follow another, at most: a pile of them covers the lines above."""

_ELLIPSIS = "…"


def harmless(text: str) -> str:
    """`text` on one line, without what a terminal would obey: control characters and those of direction are escaped.

    Spaces of any kind are shown as spaces.
    """
    if text.isprintable():
        return text if text.isascii() else _few_marks(text)
    return _few_marks("".join(_shown(each) for each in text))


def _shown(character: str) -> str:
    if character.isprintable() or character in _JOINERS:
        return character
    if unicodedata.category(character) == "Zs":
        return " " * width(character)
    return character.encode("unicode_escape").decode()


def _few_marks(text: str) -> str:
    kept, marks = [], 0
    for each in text:
        marks = marks + 1 if _columns(each) == 0 else 0
        if marks <= _MARKS:
            kept.append(each)
    return "".join(kept)


def _columns(character: str) -> int:
    """Of one printable character."""
    if character.isascii():
        return 1
    if unicodedata.category(character) in ("Mn", "Me", "Cf") or "\u1160" <= character <= "\u11ff":
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def width(text: str) -> int:
    """Columns that a harmless text takes. Emoji that are joined to one may take fewer on some terminals."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def cut(text: str, columns: int) -> str:
    """A harmless text in at most `columns` columns; an ellipsis stands for what is left out."""
    if width(text) <= columns:
        return text
    kept, left = [], columns - 1
    for each in text:
        left -= _columns(each)
        if left < 0:
            break
        kept.append(each)
    return "".join(kept).rstrip() + _ELLIPSIS if columns > 0 else ""
