"""The progress of a long step on stderr: what is done, and how much is left.

On a terminal one line that is redrawn in place, elsewhere a line every few seconds; nothing for a short step.
"""

from __future__ import annotations

import contextlib
import math
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import TextIO

from encoderfile import terminal

_ON_A_TERMINAL, _ELSEWHERE = (0.5, 0.2), (10.0, 5.0)
"""Seconds before the first line, and between two lines."""

Clock = Callable[[], float]

_quiet = ContextVar("quiet", default=False)


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Shows nothing of the steps in the block: a program that calls us says itself what it does."""
    token = _quiet.set(True)
    try:
        yield
    finally:
        _quiet.reset(token)


class Progress:
    """One step of `total` units. Use as a context manager; `advance` costs next to nothing."""

    def __init__(
        self,
        label: str,
        total: float = 0,
        *,
        unit: str = "",
        scale: float = 1,
        shown: bool = True,
        stream: TextIO | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        """One `unit` shown is `scale` units of `total`; without a `total` only the elapsed time is shown."""
        self._label, self._total, self._unit, self._scale = label, total, unit, scale
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._terminal = terminal.redraws(self._stream)
        first, self._pause = _ON_A_TERMINAL if self._terminal else _ELSEWHERE
        self._started = clock()
        self._next = self._started + first if shown and not _quiet.get() else math.inf
        self._done = 0.0
        self._drawn = 0

    @classmethod
    def of_bytes(cls, label: str, size: int) -> Progress:
        """A step of `size` bytes, shown in MB."""
        return cls(label, size, unit="MB", scale=1e6)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def clear(self) -> None:
        """Removes the line from a terminal, before something else is written there."""
        if self._drawn:
            self._write("\r" + " " * self._drawn + "\r")
            self._drawn = 0
            _on_screen.discard(self)

    def advance(self, amount: float = 1, label: str | None = None) -> None:
        """Counts `amount` more as done; `label` replaces the one before."""
        self._done += amount
        if label is not None:
            self._label = label
        now = self._clock()
        if now >= self._next:
            self._next = now + self._pause
            self._show(self.words(now - self._started))

    def words(self, elapsed: float) -> str:
        """The line, `elapsed` seconds after the start."""
        if not self._total:
            return f"{self._label}: {duration(elapsed)}"
        done = min(self._done, self._total)
        unit = f" {self._unit}" if self._unit else ""
        amount = f"{done / self._scale:.0f} of {self._total / self._scale:.0f}{unit}"
        if not done:
            return f"{self._label}: {amount}"
        rate = done / self._scale / max(elapsed, 1e-9)
        left = duration(elapsed * (self._total - done) / done)
        return f"{self._label}: {amount}, {rate:.3g}{unit}/s, {left} left"

    def _show(self, line: str) -> None:
        if not self._terminal:
            self._write(line + "\n")
            return
        line = line[: terminal.columns(self._stream) - 1]
        self._write("\r" + line.ljust(self._drawn))
        self._drawn = len(line)
        _on_screen.add(self)

    def _write(self, text: str) -> None:
        # A terminal that is gone must not end the work.
        with contextlib.suppress(OSError, ValueError, AttributeError):
            self._stream.write(text)
            self._stream.flush()


_on_screen: set[Progress] = set()


def erase() -> None:
    """Removes the line of every step from its terminal: something else is written there. It is drawn again later."""
    for each in tuple(_on_screen):
        each.clear()


@contextlib.contextmanager
def waiting(label: str, expected: float = 0, *, shown: bool = True) -> Iterator[None]:
    """Shows how long the block has taken, and what is left of `expected` seconds, while it reports nothing itself."""
    if not shown or _quiet.get():  # a new thread would not know the latter
        yield
        return
    over = threading.Event()

    def tick() -> None:
        with Progress(label) as progress:
            begun = time.monotonic()
            while not over.wait(0.2):
                left = begun + expected - time.monotonic()
                progress.advance(0, f"{label}, about {duration(left)} left" if left >= 1 else label)

    thread = threading.Thread(target=tick, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def duration(seconds: float) -> str:
    """Whole seconds in the two largest units."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
