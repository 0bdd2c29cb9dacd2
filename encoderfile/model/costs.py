"""What runs cost, in tokens: assumed at first, and timed when a second instance is opened.

Timing takes eight short runs, during which nothing is answered, so only busy servers do it. Assumed costs make the
others a few percent slower on a few cores, and a quarter on 64 (simulated). Timed costs are powers of two, so that
noise does not make the next start split the same request in another way.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

_RUN = 16
"""Tokens that cost as much as starting a run, on one thread: between 10 and 25 in models of any size."""

_SHORT_ROW, _ROW, _ROWS = 4, 32, 8
"""Tokens of the row of a short run and of each row of a long one; maximum rows of a long one, one for each thread."""

_FLAT = 8
"""A token costs at least this part of its share of a long run, however noisy the time of the short one is."""

Shape = tuple[int, int]
"""Rows and tokens of each."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What the scheduler weighs: starting a run costs as much as this much padding."""

    run: int
    """Starting a run with all threads, in tokens."""
    one_thread_run: int
    """Starting a run of one thread, in tokens."""
    speedup: float
    """All threads make a run so many times as fast as one does."""


def assumed(device: str, threads: int) -> Costs:
    """Before anything was timed.

    Threads are assumed to make tokens cheaper by the square root of their number, and starting a run not at all. On
    `cuda` a token costs next to nothing.
    """
    if device == "cuda":
        return Costs(512, 512, 1.0)
    speedup = math.sqrt(max(1, threads))
    return Costs(round(_RUN * speedup), _RUN, speedup)


def timed(
    all_threads: Callable[[Shape], float], one_thread: Callable[[Shape], float], threads: int, lengths: range
) -> Costs:
    """What short runs say; both functions run a shape and give its seconds. Rows have one of `lengths`, in tokens."""
    short = 1, max(lengths.start, min(_SHORT_ROW, lengths.stop - 1))
    length = max(lengths.start, min(_ROW, lengths.stop - 1))
    long = max(2, _ROW * min(threads, _ROWS) // length), length
    run, token = _line(all_threads, short, long)
    one_thread_run, one_thread_token = _line(one_thread, short, long)
    return Costs(run, one_thread_run, min(float(threads), max(1.0, one_thread_token / token)))


def _line(seconds: Callable[[Shape], float], short: Shape, long: Shape) -> tuple[int, float]:
    """What starting a run costs, in tokens, and the seconds of each token."""
    low, high = (min(seconds(shape) for _ in range(2)) for shape in (short, long))  # the first of a shape is slower
    few, many = math.prod(short), math.prod(long)
    token = max((high - low) / (many - few), high / many / _FLAT)
    return min(many, 2 ** round(math.log2(max(1.0, low / token - few)))), token
