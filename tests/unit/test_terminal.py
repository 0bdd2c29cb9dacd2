"""What a stream can show: colour, width, line drawing."""

import fcntl
import io
import os
import pty
import struct
import termios

import pytest

from encoderfile.terminal import Screen, is_terminal, redraws


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM"):
        monkeypatch.delenv(name, raising=False)


def test_a_terminal_has_colour_and_a_file_has_none() -> None:
    assert Screen.of(Terminal()).styled("text", "bold red") == "\x1b[1;31mtext\x1b[0m"
    assert Screen.of(io.StringIO()).styled("text", "bold red") == "text"


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_a_person_may_want_a_terminal_without_colour(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    assert not Screen.of(Terminal()).colour
    assert is_terminal(Terminal())


def test_an_empty_no_color_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "")
    assert Screen.of(Terminal()).colour


def test_colour_may_be_forced_and_no_color_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert Screen.of(io.StringIO()).colour
    monkeypatch.setenv("NO_COLOR", "1")
    assert not Screen.of(io.StringIO()).colour


def test_a_dumb_terminal_redraws_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    assert redraws(Terminal())
    monkeypatch.setenv("TERM", "dumb")
    assert not redraws(Terminal())


def test_a_closed_or_missing_stream_is_no_terminal() -> None:
    closed = io.StringIO()
    closed.close()
    assert not is_terminal(closed)
    assert not is_terminal(None)
    assert Screen.of(None).columns == 80


def test_the_width_is_that_of_the_stream_unless_columns_says_another(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = pty.openpty()
    try:
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 43, 0, 0))
        with os.fdopen(other, "w", closefd=False) as stream:
            assert Screen.of(stream).columns == 43
            monkeypatch.setenv("COLUMNS", "61")
            assert Screen.of(stream).columns == 61
    finally:
        os.close(one)
        os.close(other)


@pytest.mark.parametrize(("given", "columns"), [("wide", 80), ("0", 80), ("-5", 80), ("5", 20), ("³", 80)])
def test_a_width_that_cannot_be_is_not_taken(given: str, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", given)
    assert Screen.of(io.StringIO()).columns == columns


def test_a_bar_is_drawn_in_halves_of_a_column() -> None:
    screen = Screen()
    assert screen.bar(0, 4) == ""
    assert screen.bar(0.6, 4) == "━━╸"
    assert screen.bar(1, 4) == screen.bar(7, 4) == "━━━━"


def test_what_an_encoding_does_not_have_is_drawn_otherwise() -> None:
    screen = Screen(encoding="ascii")
    assert screen.bar(0.6, 5) == "==="
    assert screen.encode("é 日") == b"\\xe9 \\u65e5\n"
