"""From the inputs of a request to the rows that are run, and from their results back to one for each input."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from encoderfile.errors import InputError
from encoderfile.model.text_inputs import Readable, size
from encoderfile.tasks.preprocessor import Preprocessor, Row
from encoderfile.types import Asked, EncodedText, Input, TokenIds

MAX_ROWS = 1 << 14
"""Rows that one request may take, in all: each holds its tokens while it waits."""


class Expansion:
    """The rows of one request, for a task with a preprocessor or without."""

    def __init__(
        self,
        preprocessor: Preprocessor[Any] | None,
        inputs: Sequence[Input],
        asked: Asked,
        check_characters: Callable[[int], None] = lambda _: None,
    ) -> None:
        """`asked` is prepared. `check_characters` refuses rows that are too long together."""
        self._preprocessor = preprocessor
        self._inputs = inputs
        self._asked = asked
        self._check_characters = check_characters
        self._counts: list[int] = []
        self._answers: list[Any] = []
        self.rows: Sequence[Readable] = () if preprocessor else inputs

    def made(self) -> Iterator[None]:
        """Makes the rows, one input after the other. Raises `InputError` for too many, and for bad options."""
        if self._preprocessor is None:
            return
        rows: list[Row] = []
        characters = 0
        for text in self._inputs:
            assert not isinstance(text, TokenIds)  # refused
            found = self._preprocessor.rows(text, self._asked)
            rows += found
            self._counts.append(len(found))
            if len(rows) > MAX_ROWS:
                raise InputError(
                    f"the inputs take more than {MAX_ROWS} runs of the model together, with each of the labels: "
                    "split the request"
                )
            if any(not isinstance(row.text, tuple) for row in found):  # pairs share their texts
                characters += sum(map(size, found))
                self._check_characters(characters)
            yield
        self.rows = rows

    def index(self, row: int) -> int:
        """The input that a row belongs to."""
        if self._preprocessor is None:
            return row
        ends = itertools.accumulate(self._counts)
        return next(index for index, end in enumerate(ends) if row < end)

    def to_run(self, encoded: Sequence[EncodedText]) -> Sequence[EncodedText]:
        """The rows that need a run of the graph."""
        if self._preprocessor is None:
            return encoded
        self._answers = [self._preprocessor.answer(each) for each in encoded]
        return [each for each, answer in zip(encoded, self._answers, strict=True) if answer is None]

    def gathered(self, results: Iterable[Any]) -> Iterator[Any]:
        """One result for each input, from those of the rows that were run, made on the way."""
        assert self._preprocessor is not None
        left = iter(results)
        every = (next(left) if answer is None else answer for answer in self._answers)
        for count in self._counts:
            yield self._preprocessor.gather(list(itertools.islice(every, count)), self._asked)

    def of_inputs(self, is_so: Callable[[EncodedText], bool], encoded: Sequence[EncodedText]) -> int:
        """How many inputs have a row of which something is so."""
        if self._preprocessor is None:
            return sum(map(is_so, encoded))
        rows = iter(encoded)
        return sum(max(map(is_so, itertools.islice(rows, count))) for count in self._counts)
