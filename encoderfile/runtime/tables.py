"""Rows of cells as lines of a terminal. What is a user's own text comes last: nothing stands behind it in its line.

So a terminal that draws it wider, narrower or from right to left than expected moves no other column.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from encoderfile.runtime.widths import cut, harmless, width
from encoderfile.terminal import Screen

GAP = "  "

_BAR, _SHORTEST_BAR = 20, 4
_LONGEST = 8
"""Characters of a cell that are looked at, for each column of the screen."""


class Cell(NamedTuple):
    """Any text, and how it is drawn."""

    text: str
    style: str = ""
    right: bool = False
    """Whether its column is aligned on the right, as numbers are."""


def table(rows: Sequence[Sequence[Cell]], screen: Screen, indent: str = "") -> Iterator[str]:
    """A line for each row, all of the same number of cells, and none wider than the screen if that can be.

    Columns before the last take at most a third of the width each.
    """
    if not rows:
        return
    texts = [[harmless(cell.text[: _LONGEST * screen.columns]) for cell in row] for row in rows]
    most = screen.columns // 3
    widths = [min(most, max(map(width, column))) for column in zip(*texts, strict=True)]
    # One column less: some terminals go to the next line when the last one is taken.
    left = screen.columns - 1 - len(indent) - sum(widths[:-1]) - len(GAP) * (len(widths) - 1)
    widths[-1] = max(left, 1)
    for row, line in zip(rows, texts, strict=True):
        cells = [
            _drawn(cell, cut(text, columns), columns, screen)
            for cell, text, columns in zip(row, line, widths, strict=True)
        ]
        yield (indent + GAP.join(cells)).rstrip()


def _drawn(cell: Cell, text: str, columns: int, screen: Screen) -> str:
    space = " " * (columns - width(text))
    drawn = screen.styled(text, cell.style)
    return space + drawn if cell.right else drawn + space


def number(value: float, digits: int = 3) -> str:
    """A number of a score or a vector, as short as eyes need it."""
    return f"{value:.{digits}f}" if abs(value) < 10_000 else f"{value:.{digits}g}"


def score(value: float, screen: Screen) -> tuple[Cell, Cell]:
    """A number, and a bar for it where it is a share of 1."""
    return Cell(number(value), right=True), bar(value if value <= 1 else 0, screen)


def bar(share: float, screen: Screen) -> Cell:
    """`share` of a bar, which is short on a narrow screen: the text needs the room."""
    columns = max(_SHORTEST_BAR, min(_BAR, (screen.columns - 40) // 2))
    return Cell(screen.bar(share, columns).ljust(columns), "cyan")
