"""Which items run next, and on how many threads: one pure function of what waits and what runs.

Items of similar length share a run, so that padding is small; padded tokens are bounded, so that memory is. The next
run always has an item of the request whose turn it is, so that requests of any size do not starve each other.

An item alone runs with all threads, for the sake of latency. When enough waits to keep every instance busy, runs of
one thread each go at the same time: threads then never wait for each other between operators, and a core that is
taken away for a moment holds up one run, not all.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from encoderfile.model.costs import Costs


@dataclass(frozen=True, slots=True)
class Plan:
    """What a server may use, and what runs cost there."""

    max_tokens: int
    """Padded tokens in flight; an item alone may be longer."""
    max_run_tokens: int
    """Padded tokens of a run with all threads; an item alone may be longer."""
    costs: Costs
    instances: int = 1
    """Runs of one thread each that may go at the same time; 1: every run has all threads."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The items that wait, one or more."""

    lengths: Sequence[int]
    """Tokens of each, ascending."""
    tokens: int
    """The sum of `lengths`."""
    turn: int
    """The place in `lengths` of the item that the next run must hold."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the model, with all threads, or with one at the same time as others."""

    tokens: int
    """Rows times the longest of them."""
    all_threads: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """The run to start now, and the places of its items among those that wait."""

    places: range
    run: Run


def choose(waiting: Waiting, running: Collection[Run], plan: Plan) -> Choice | None:
    """The run to start now; None when one has to end first."""
    if _is_full(running, plan):
        return None
    work = waiting.tokens + sum(run.tokens for run in running)
    if plan.instances > 1 and (running or _overlaps(waiting.lengths[-1], work, plan)):
        share = min(plan.max_tokens, work) // plan.instances
        choice = _choice(waiting, share, plan.costs.one_thread_run, all_threads=False)
        if _overlaps(choice.run.tokens, work, plan):
            return choice
    # It needs all threads, so the others have to end first.
    return None if running else _choice(waiting, plan.max_run_tokens, plan.costs.run, all_threads=True)


def _is_full(running: Collection[Run], plan: Plan) -> bool:
    """One run more than there are instances is prepared, so that none of them waits for the event loop."""
    if plan.instances == 1 or any(run.all_threads for run in running):
        return bool(running)
    return len(running) > plan.instances


def _overlaps(tokens: int, work: int, plan: Plan) -> bool:
    """Whether a run of this many tokens may have one thread, when `work` tokens run and wait.

    Not if it is all the work or more than its share of memory, nor if it alone would take longer than all the work
    with all threads, nor if the instances are slower than all threads together.
    """
    if tokens >= work or tokens > plan.max_tokens // plan.instances:
        return False
    return plan.costs.speedup <= min(plan.instances, work / tokens)


def _choice(waiting: Waiting, most_tokens: int, run_cost: int, *, all_threads: bool) -> Choice:
    """The run that holds the item whose turn it is.

    `most_tokens` bounds rows times longest row, except for an item alone. `run_cost` is what starting a run costs, in
    tokens.
    """
    lengths, turn = waiting.lengths, waiting.turn
    # A run that holds this item has no shorter row above it, so it reaches this far up at most.
    end = min(len(lengths), turn + max(1, most_tokens // lengths[turn]))
    start = _start(lengths, end, most_tokens, run_cost)
    while start > turn:
        start, end = _start(lengths, start, most_tokens, run_cost), start
    return Choice(range(start, end), Run((end - start) * lengths[end - 1], all_threads))


def _start(lengths: Sequence[int], end: int, most_tokens: int, run_cost: int) -> int:
    """Where the run begins whose longest item is the last one before `end`.

    Runs are always built from the longest item down, so that what one run leaves makes whole runs again. A shorter
    item joins while all padding costs less than a run of its own: for evenly spread lengths the cost per item is
    least there.
    """
    longest = lengths[end - 1]
    padding, start = 0, end - 1
    while start > 0 and (end - start + 1) * longest <= most_tokens:
        padding += longest - lengths[start - 1]
        if padding > run_cost:
            break
        start -= 1
    return start
