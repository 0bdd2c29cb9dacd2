"""How alike the texts of a request are, for eyes: a matrix where there is room, else the nearest pairs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from encoderfile.runtime.tables import GAP, Cell, number, score, table
from encoderfile.terminal import Screen

_MOST_PAIRS = 10


def likeness(alike: Sequence[Sequence[float]], screen: Screen, indent: str) -> Iterator[str]:
    """Lines for the square `alike`, of two texts or more, which are counted from 1."""
    numbers = range(len(alike))
    rows = [
        [Cell(str(row + 1), "dim", right=True), *(_cell(alike[row], row, each) for each in numbers), Cell("")]
        for row in numbers
    ]
    size = max(len(each.text) for row in rows for each in row)
    if len(indent) + (size + len(GAP)) * (len(alike) + 1) >= screen.columns:
        yield from _pairs(alike, screen, indent)
        return
    head = [Cell(""), *(Cell(str(each + 1), "dim", right=True) for each in numbers), Cell("")]
    yield from table([head, *rows], screen, indent)


def _cell(of_row: Sequence[float], row: int, column: int) -> Cell:
    nearest = max((each for each in range(len(of_row)) if each != row), key=lambda each: of_row[each])
    style = "dim" if row == column else "bold green" if column == nearest else ""
    return Cell(number(of_row[column], 2), style, right=True)


def _pairs(alike: Sequence[Sequence[float]], screen: Screen, indent: str) -> Iterator[str]:
    pairs = sorted(itertools.combinations(range(len(alike)), 2), key=lambda pair: -alike[pair[0]][pair[1]])
    rows = [
        [*score(alike[one][other], screen), Cell(f"{one + 1} and {other + 1}")] for one, other in pairs[:_MOST_PAIRS]
    ]
    yield from table(rows, screen, indent)
    if len(pairs) > _MOST_PAIRS:
        yield screen.styled(f"{indent}… {len(pairs) - _MOST_PAIRS} more pairs", "dim")
