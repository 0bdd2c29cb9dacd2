"""What a long step says of itself, on a terminal and elsewhere."""

import io
import threading

import pytest

from encoderfile.progress import Progress, duration, waiting


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    """A time of day that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_short_step_says_nothing(clock: Clock) -> None:
    for stream in (io.StringIO(), Terminal()):
        with Progress("reading", 10, stream=stream, clock=clock) as progress:
            for _ in range(10):
                progress.advance()
        assert stream.getvalue() == ""


def test_elsewhere_it_is_a_line_every_five_seconds_without_control_characters(clock: Clock) -> None:
    stream = io.StringIO()
    with Progress("reading", 100, unit="texts", stream=stream, clock=clock) as progress:
        for _ in range(65):
            clock.now += 0.25
            progress.advance()
    assert stream.getvalue().splitlines() == [
        "reading: 40 of 100 texts, 4 texts/s, 15 s left",
        "reading: 60 of 100 texts, 4 texts/s, 10 s left",
    ]
    assert stream.getvalue().replace("\n", "").isprintable()


def test_on_a_terminal_one_line_is_drawn_again_and_erased(clock: Clock) -> None:
    stream = Terminal()
    with Progress("reading", 4, stream=stream, clock=clock) as progress:
        for _ in range(2):
            clock.now += 1
            progress.advance()
    first, second = "reading: 1 of 4, 1/s, 3 s left", "reading: 2 of 4, 1/s, 2 s left"
    assert stream.getvalue() == f"\r{first}\r{second}\r{' ' * len(second)}\r"


def test_one_that_is_not_shown_says_nothing(clock: Clock) -> None:
    stream = Terminal()
    with Progress("reading", 4, shown=False, stream=stream, clock=clock) as progress:
        clock.now += 100
        progress.advance()
    assert stream.getvalue() == ""


def test_a_dumb_terminal_gets_lines(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    stream = Terminal()
    with Progress("reading", 4, stream=stream, clock=clock) as progress:
        clock.now += 10
        progress.advance()
    assert "\r" not in stream.getvalue()


def test_bytes_are_shown_in_megabytes(clock: Clock) -> None:
    progress = Progress("writing", 4e9, unit="MB", scale=1e6, stream=io.StringIO(), clock=clock)
    progress.advance(1e9)
    assert progress.words(2.0) == "writing: 1000 of 4000 MB, 500 MB/s, 6 s left"


def test_what_is_done_may_change_its_name(clock: Clock) -> None:
    progress = Progress("one", 2, stream=io.StringIO(), clock=clock)
    progress.advance(label="two")
    assert progress.words(1.0).startswith("two: 1 of 2")


def test_a_step_of_unknown_size_tells_its_time(clock: Clock) -> None:
    assert Progress("freezing", stream=io.StringIO(), clock=clock).words(125) == "freezing: 2 min 5 s"


def test_a_terminal_that_went_away_does_not_end_the_work(clock: Clock) -> None:
    class Gone(Terminal):
        def write(self, _: str) -> int:
            raise OSError

    with Progress("reading", 4, stream=Gone(), clock=clock) as progress:
        clock.now += 10
        progress.advance()


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (59.4, "59 s"), (61, "1 min 1 s"), (3600 * 30 + 120, "30 h 2 min")]
)
def test_durations_are_told_in_two_units(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_waiting_ends_with_its_block_and_lets_errors_pass() -> None:
    with pytest.raises(KeyError), waiting("thinking"):
        raise KeyError


def test_waiting_that_is_not_shown_starts_no_thread() -> None:
    before = threading.active_count()
    with waiting("thinking", shown=False):
        assert threading.active_count() == before


def test_the_line_is_cut_to_the_width_of_its_own_stream(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    stream = Terminal()
    with Progress("reading a file with a long name", 4, stream=stream, clock=clock) as progress:
        clock.now += 1
        progress.advance()
        assert stream.getvalue() == "\rreading a file with a long na"
