"""The log at a terminal and in a file."""

import io
import logging
import re
from collections.abc import Iterator

import pytest

from encoderfile.progress import Progress
from encoderfile.runtime import logs


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def the_log_as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    root = logging.getLogger()
    levels = {name: logging.getLogger(name).level for name in ("mcp", "asyncio", "sse_starlette", "uvicorn")}
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


def logged(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch, form: str = "text") -> str:
    monkeypatch.setattr("sys.stderr", stream)
    logs.set_up(form, "info")
    log = logging.getLogger("tests")
    log.info("fine")
    log.warning("a WARNING of sorts")
    log.error("broken")
    return re.sub(r"\d{4}-\d\d-\d\d[T ][\d:,+-]+", "TIME", stream.getvalue())


def test_a_file_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    assert logged(io.StringIO(), monkeypatch) == (
        "TIME INFO fine\nTIME WARNING a WARNING of sorts\nTIME ERROR broken\n"
    )


def test_on_a_terminal_what_matters_has_a_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    assert logged(Terminal(), monkeypatch) == (
        "TIME INFO fine\nTIME \x1b[33mWARNING\x1b[0m a WARNING of sorts\nTIME \x1b[1;31mERROR\x1b[0m broken\n"
    )


def test_json_has_no_colour_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b" not in logged(Terminal(), monkeypatch, "json")


def test_no_line_is_written_behind_that_of_a_step_in_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    logs.set_up("text", "info")
    times = iter([0.0, 10.0])
    with Progress("loading", stream=terminal, clock=lambda: next(times)) as progress:
        progress.advance()
        logging.getLogger("tests").info("noted")
    drawn = "\rloading: 10 s"
    assert terminal.getvalue().startswith(f"{drawn}\r{' ' * (len(drawn) - 1)}\r20")
    assert terminal.getvalue().endswith(" INFO noted\n")
