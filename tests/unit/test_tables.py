"""Rows of cells as lines of a terminal."""

import pytest

from encoderfile.runtime.tables import Cell, bar, number, score, table
from encoderfile.runtime.widths import width
from encoderfile.terminal import Screen


def lines(rows: list[list[Cell]], columns: int = 40, *, colour: bool = False) -> list[str]:
    return list(table(rows, Screen(columns, colour), "  "))


def test_columns_are_aligned_whatever_their_characters_take() -> None:
    found = lines(
        [[Cell("日本"), Cell("1", right=True), Cell("a")], [Cell("e\u0301"), Cell("23", right=True), Cell("b")]]
    )
    assert found == ["  日本   1  a", "  e\u0301     23  b"]


def test_no_rows_are_no_lines() -> None:
    assert lines([]) == []


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
@pytest.mark.parametrize(
    "text",
    ["word " * 100, "日本語" * 100, "\x1b[31m" * 100, "e\u0301" * 300],
    ids=["words", "wide", "escapes", "marks"],
)
def test_no_line_is_wider_than_the_screen(text: str, columns: int) -> None:
    (line,) = lines([[Cell("0.5"), Cell(text), Cell(text)]], columns)
    assert width(line) < columns
    assert line.endswith("…")


def test_styles_take_no_columns_and_are_closed() -> None:
    plain = lines([[Cell("a", "bold"), Cell("long " * 20, "dim")]])
    (styled,) = lines([[Cell("a", "bold"), Cell("long " * 20, "dim")]], colour=True)
    assert styled.replace("\x1b[1m", "").replace("\x1b[2m", "").replace("\x1b[0m", "") == plain[0]
    assert styled.count("\x1b[0m") == 2


def test_numbers_are_short() -> None:
    assert [number(each) for each in (0.5, -0.12345, 1234.5, 1e9)] == ["0.500", "-0.123", "1234.500", "1e+09"]


def test_a_bar_leaves_room_for_the_text_on_a_narrow_screen() -> None:
    assert [len(bar(1, Screen(columns)).text) for columns in (20, 40, 60, 80, 300)] == [4, 4, 10, 20, 20]


def test_a_number_that_is_no_share_has_no_bar() -> None:
    assert [score(each, Screen())[1].text.strip() for each in (1.5, -0.5)] == ["", ""]
