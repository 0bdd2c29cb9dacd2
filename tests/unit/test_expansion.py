"""Inputs that take several rows of a run, one, or none: rows are made, and results put together again."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from encoderfile.errors import InputError
from encoderfile.service.expansion import MAX_ROWS, Expansion
from encoderfile.tasks.preprocessor import Preprocessor, Row
from encoderfile.tasks.results import Result
from encoderfile.types import AS_IT_STANDS, Asked, EncodedText, Text


@dataclass
class Joined(Result):
    words: str


class ByWord(Preprocessor[Joined]):
    """A row for each word of a text; the word `free` needs no run."""

    def rows(self, text: Text, asked: Asked) -> Sequence[Row]:
        assert isinstance(text, str)
        return [Row(word, kept=word) for word in text.split()]

    def answer(self, encoded: EncodedText) -> Joined | None:
        return Joined("FREE") if encoded.kept == "free" else None

    def gather(self, results: Sequence[Joined], asked: Asked) -> Joined:
        return Joined("+".join(each.words for each in results))


def encoded(word: str, *, truncated: bool = False) -> EncodedText:
    ids = np.zeros(1, dtype=np.int64)
    return EncodedText(ids, ids, ids, (), truncated, kept=word)


def expanded(*texts: str) -> Expansion:
    expansion = Expansion(ByWord(), texts, AS_IT_STANDS)
    for _ in expansion.made():
        pass
    return expansion


def kept(expansion: Expansion) -> list[str]:
    return [row.kept for row in expansion.rows if isinstance(row, Row)]


def test_results_of_rows_come_back_as_one_for_each_input_in_order() -> None:
    expansion = expanded("a b", "c", "d free e")
    assert kept(expansion) == ["a", "b", "c", "d", "free", "e"]
    to_run = expansion.to_run([encoded(word) for word in kept(expansion)])
    assert [each.kept for each in to_run] == ["a", "b", "c", "d", "e"]
    results = list(expansion.gathered(Joined(each.kept.upper()) for each in to_run))
    assert [each.words for each in results] == ["A+B", "C", "D+FREE+E"]


def test_a_request_of_which_no_row_is_run_is_answered_too() -> None:
    expansion = expanded("free", "free free")
    assert expansion.to_run([encoded("free")] * 3) == []
    assert [each.words for each in expansion.gathered([])] == ["FREE", "FREE+FREE"]


def test_a_row_belongs_to_the_input_it_was_made_of() -> None:
    expansion = expanded("a b", "c", "d e f")
    assert [expansion.index(row) for row in range(6)] == [0, 0, 1, 2, 2, 2]


def test_an_input_with_several_truncated_rows_is_truncated_once() -> None:
    expansion = expanded("a b", "c", "d e f")
    rows = [encoded(word, truncated=word in "abf") for word in "abcdef"]
    assert expansion.of_inputs(lambda each: each.truncated, rows) == 2


def test_rows_of_one_request_are_bounded() -> None:
    with pytest.raises(InputError, match=f"more than {MAX_ROWS} runs"):
        expanded(*["a " * 1000] * (MAX_ROWS // 1000 + 1))


def test_without_a_preprocessor_each_input_is_a_row() -> None:
    expansion = Expansion(None, ["a", "b"], AS_IT_STANDS)
    assert list(expansion.made()) == []
    assert expansion.rows == ["a", "b"]
    assert expansion.index(1) == 1
    rows = [encoded("a"), encoded("b", truncated=True)]
    assert expansion.to_run(rows) is rows
    assert expansion.of_inputs(lambda each: each.truncated, rows) == 1
