"""Answers for eyes, as `infer --format table` prints them: made of what a result declares, for any model type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from encoderfile.runtime.alike import likeness
from encoderfile.runtime.columns import Column, Shown, columns
from encoderfile.runtime.tables import Cell, bar, number, score, table
from encoderfile.runtime.widths import cut, harmless, width
from encoderfile.service.service import Service
from encoderfile.tasks.abilities import Ability, Extracted
from encoderfile.tasks.results import FieldType, Result, fields
from encoderfile.tasks.similarity import SIMILARITIES, comparable, similarity_of, stacked
from encoderfile.terminal import Screen
from encoderfile.types import Text

_INDENT = "   "
_MOST_LABELS, _MOST_WORDS, _MOST_VECTORS = 10, 10, 20
"""Labels of a text, words of a sparse vector and token vectors that are shown, at most."""

_MOST_COMPARED, _MOST_RANKED = 50, 10
"""Texts whose vectors are compared, and texts of a ranking that are shown, at most."""

_COLOURS = ("cyan", "magenta", "yellow", "green", "blue", "red")
"""Of names of entities, in the order in which they come."""


class Readable:
    """The lines for one answer after the other, and what is said of all of them."""

    def __init__(self, service: Service, screen: Screen) -> None:
        self._task, self._spell = service.task, service.tokenizer.spell
        self._screen = screen
        self._kind = comparable(service.task)
        self._count = 0
        self._compared: list[Result] = []
        self._ranked: list[tuple[float, int, str]] = []
        """Score, number and last text of each input, where a model gives one score."""
        self._colours: dict[str, str] = {}

    def lines(self, text: Text, answer: Result | Extracted) -> Iterator[str]:
        """The text, and below it the answer."""
        self._count += 1
        if self._count > 1:
            yield ""
        held = columns(answer)
        first, *others = (text,) if isinstance(text, str) else text
        yield self._heading(str(self._count), first, held)
        yield from (self._heading("+", other, ()) for other in others)
        if held:
            yield from self._rows(held)
        elif isinstance(answer, Result):
            yield from self._labels(answer) if self._task.classifies else self._fields(answer)
            self._keep(answer, (first, *others)[-1])

    def _keep(self, answer: Any, text: str) -> None:
        """For what several answers say together."""
        if self._kind is not None and self._count <= _MOST_COMPARED + 1:
            self._compared.append(answer)
        elif self._task.classifies and len(self._task.labels) == 1:
            self._ranked.append((float(answer.scores[0]), self._count, text))

    def closing(self) -> Iterator[str]:
        """What several answers say together: a ranking by their only score, or how alike a few vectors are."""
        if len(self._ranked) > 1:
            yield from self._ranking()
        if 1 < len(self._compared) <= _MOST_COMPARED:
            yield from self._similarity(self._kind or "")

    def _ranking(self) -> Iterator[str]:
        best = sorted(self._ranked, key=lambda each: -each[0])[:_MOST_RANKED]
        rows = [
            [*score(value, self._screen), Cell(str(count), "dim", right=True), Cell(text)]
            for value, count, text in best
        ]
        yield ""
        yield self._screen.styled("best first", "bold")
        yield from table(rows, self._screen, _INDENT)
        yield from self._more(len(self._ranked) - _MOST_RANKED, "texts")

    def _similarity(self, kind: str) -> Iterator[str]:
        name = similarity_of(self._task)
        rows = stacked(self._task.vectors(kind, self._compared, False), name)
        yield ""
        yield self._screen.styled(f"similarity ({name})", "bold")
        yield from likeness([SIMILARITIES[name](row, rows).tolist() for row in rows], self._screen, _INDENT)

    def _heading(self, mark: str, text: str, held: Sequence[Column]) -> str:
        """A text in one line, with what was found in it."""
        mark = mark.ljust(len(_INDENT) - 1) + " "
        left, drawn = self._screen.columns - 1 - len(mark), ""
        for start, end, style in self._pieces(text, held):
            shown = cut(harmless(text[start : min(end, start + 8 * self._screen.columns)]), left)
            drawn += self._screen.styled(shown, style)
            left -= width(shown)
            if left <= 0:
                break
        return self._screen.styled(mark, "dim") + drawn

    def _pieces(self, text: str, held: Sequence[Column]) -> Iterator[tuple[int, int, str]]:
        """A text from its beginning to its end, with the style of each piece."""
        at = 0
        for (start, end), style in sorted(self._found(held)):
            if start >= at:  # one inside of another is in the rows alone
                yield at, start, ""
                yield start, end, f"bold underline {style}"
                at = end
        yield at, len(text), "" if at else "bold"

    def _found(self, held: Sequence[Column]) -> Iterator[tuple[tuple[int, int], str]]:
        """The places of entities; each name has its colour."""
        values = {each.shown: each.values for each in held}
        for place, name in zip(values.get(Shown.SPAN, ()), values.get(Shown.NAME, ()), strict=False):
            yield place, self._colours.setdefault(name, _COLOURS[len(self._colours) % len(_COLOURS)])

    def _rows(self, held: Sequence[Column]) -> Iterator[str]:
        count = len(held[0].values)
        if not count:
            yield self._note("nothing found")
        shown = count
        if held[0].shown is Shown.VECTOR:
            shown = min(count, _MOST_VECTORS)
            size = len(held[0].values[0])
            yield self._note(f"{count} vectors of {size} dimensions: length, first numbers, token", "")
        rows = [[cell for each in held for cell in self._cells(each, row)] for row in range(shown)]
        yield from table(rows, self._screen, _INDENT)
        yield from self._more(count - shown, "vectors")

    def _cells(self, column: Column, row: int) -> Iterator[Cell]:
        value = column.values[row]
        if column.shown is Shown.SCORE:
            yield from score(float(value), self._screen)
        elif column.shown is Shown.VECTOR:
            yield Cell(number(_length(value)), right=True)
            yield Cell(_beginning(value, self._screen.columns // 3), "dim")
        elif column.shown in (Shown.SPAN, Shown.TOKEN):
            yield Cell("{}-{}".format(*value), "dim", right=True)
        else:
            yield Cell(str(value), self._colours.get(value, "") if column.shown is Shown.NAME else "")

    def _labels(self, answer: Any) -> Iterator[str]:
        """The scores of the model's own labels, best first."""
        scores = answer.scores.tolist()
        order = sorted(range(len(scores)), key=lambda index: -scores[index])
        rows = [
            [
                *score(scores[each], self._screen),
                Cell(self._task.labels[each], "bold" if each == answer.predicted_index else ""),
            ]
            for each in order[:_MOST_LABELS]
        ]
        yield from table(rows, self._screen, _INDENT)
        yield from self._more(len(order) - _MOST_LABELS, "labels")

    def _fields(self, answer: Result) -> Iterator[str]:
        for each in fields(type(answer)):
            value = getattr(answer, each.attribute)
            if each.type is FieldType.FLOATS:
                yield from self._words(value) if self._kind is Ability.SPARSE else self._vector(value)
            else:
                shown = number(float(value)) if each.type is FieldType.FLOAT else str(value)
                yield from table([[Cell(each.name, "dim"), Cell(shown)]], self._screen, _INDENT)

    def _vector(self, vector: Any) -> Iterator[str]:
        """Its size, its length, and the numbers at its beginning; `vector` is float32 [size]."""
        yield self._note(f"{len(vector)} dimensions, length {number(_length(vector))}", "")
        beginning = _beginning(vector, self._screen.columns - 1 - len(_INDENT))
        yield self._note(beginning)

    def _words(self, vector: Any) -> Iterator[str]:
        """The words of the vocabulary that weigh most; `vector` is float32 [vocabulary]."""
        (used,) = vector.nonzero()
        heaviest = sorted(used.tolist(), key=lambda index: -vector[index])
        yield self._note(f"{len(heaviest)} of {len(vector)} words, length {number(_length(vector))}", "")
        rows = [
            [
                Cell(number(float(vector[each])), right=True),
                bar(float(vector[each] / vector[heaviest[0]]), self._screen),
                Cell(self._spell(each) or str(each)),
            ]
            for each in heaviest[:_MOST_WORDS]
        ]
        yield from table(rows, self._screen, _INDENT)
        yield from self._more(len(heaviest) - _MOST_WORDS, "words")

    def _more(self, count: int, what: str) -> Iterator[str]:
        if count > 0:
            yield self._note(f"… {count} more {what}")

    def _note(self, text: str, style: str = "dim") -> str:
        return _INDENT + self._screen.styled(cut(text, self._screen.columns - 1 - len(_INDENT)), style)


def _length(vector: Any) -> float:
    return float((vector * vector).sum() ** 0.5)


def _beginning(vector: Any, columns: int) -> str:
    """As many of the numbers as there is room for; `vector` is float32 [size]."""
    found = ""
    for value in vector[:columns].tolist():
        longer = f"{found}{number(value):>6}  "
        if len(longer) > columns:
            return found.rstrip() + " …"
        found = longer
    return found.rstrip()
