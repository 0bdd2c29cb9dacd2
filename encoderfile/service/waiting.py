"""The texts that wait: ordered by length, taken in turns by request, cut into runs."""

from __future__ import annotations

import asyncio
import bisect
import itertools
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from encoderfile.tasks.results import Result
from encoderfile.types import EncodedText

_MANY = 64
"""Texts above which a request is merged into the queue, not inserted one by one."""


@dataclass(eq=False, slots=True)
class Request:
    """One admitted request: its texts wait together and its answer leaves whole."""

    done: asyncio.Future[list[Result]]
    results: list[Result | None]
    missing: int
    queued_at: float
    waiting: deque[Entry] = field(default_factory=deque)
    started_at: float | None = None

    @property
    def queue_seconds(self) -> float:
        """How long the first of its texts waited."""
        return (self.started_at or self.queued_at) - self.queued_at


@dataclass(eq=False, slots=True)
class Entry:
    """One text of a request."""

    request: Request
    index: int
    text: EncodedText
    key: tuple[int, int]
    """Length of its row and arrival: the order of the waiting list."""
    taken: bool = False

    @property
    def length(self) -> int:
        """Tokens of its row."""
        return self.key[0]


class Waiting:
    """What is queued and not yet taken into a run."""

    def __init__(self, row_length: int | None) -> None:
        """`row_length` is given where every text is padded to one length, in tokens."""
        self._row_length = row_length
        self._by_length: list[Entry] = []
        self._turns: deque[Request] = deque()
        self._arrivals = itertools.count()
        self.tokens = 0
        """The sum of their lengths."""

    def __len__(self) -> int:
        return len(self._by_length)

    @property
    def longest(self) -> int:
        """Tokens of the longest text that waits; 0 when none does."""
        return self._by_length[-1].length if self._by_length else 0

    @property
    def requests(self) -> set[Request]:
        """Those with a text that waits."""
        return {entry.request for entry in self._by_length}

    def add(self, request: Request, texts: Sequence[EncodedText]) -> None:
        """Queues all texts of `request`."""
        for index, text in enumerate(texts):
            request.waiting.append(Entry(request, index, text, (self._row_length or len(text), next(self._arrivals))))
        if len(texts) > _MANY:
            self._by_length += request.waiting
            self._by_length.sort(key=_key)  # what waited is in order already, so this is one merge
        else:
            for entry in request.waiting:
                bisect.insort(self._by_length, entry, key=_key)
        self.tokens += sum(entry.length for entry in request.waiting)
        self._turns.append(request)

    def drop(self, request: Request) -> None:
        """Takes what still waits of `request` out: its caller left, or it failed."""
        if any(not entry.taken for entry in request.waiting):
            self._by_length = [entry for entry in self._by_length if entry.request is not request]
            self.tokens = sum(entry.length for entry in self._by_length)
        request.waiting.clear()

    def take(self, run: range) -> list[Entry]:
        """Removes the texts of a run that `next_run` found, and passes the turn on."""
        batch = self._by_length[run.start : run.stop]
        del self._by_length[run.start : run.stop]
        for entry in batch:
            entry.taken = True
            self.tokens -= entry.length
        self._turns.rotate(-1)
        return batch

    def padded(self, run: range) -> int:
        """Rows of a run times the longest of them, in tokens."""
        return len(run) * self._by_length[run.stop - 1].length

    def next_run(self, most_tokens: int, run_cost: int) -> range | None:
        """The run that holds the first waiting text of the request whose turn it is, as places in the order.

        `most_tokens` bounds rows times longest row, except for a text alone. `run_cost` is what starting a run
        costs, in tokens. None when nothing waits.
        """
        seed = self._seed()
        if seed is None:
            return None
        place = bisect.bisect_left(self._by_length, seed.key, key=_key)
        # A run that holds the seed has no row shorter than it above: this far up may it reach.
        end = min(len(self._by_length), place + max(1, most_tokens // seed.length))
        start = self._run_before(end, most_tokens, run_cost)
        while start > place:
            start, end = self._run_before(start, most_tokens, run_cost), start
        return range(start, end)

    def _run_before(self, end: int, most_tokens: int, run_cost: int) -> int:
        """Where the run begins whose longest text is the last one before `end`.

        Runs are cut from the longest text down, always the same way, so that what one run leaves behind
        makes whole runs again. A shorter text joins while all padding together costs less than a run of its own:
        among texts spread evenly over the lengths, that is where the cost per text is least.
        """
        longest = self._by_length[end - 1].length
        padding, start = 0, end - 1
        while start > 0 and (end - start + 1) * longest <= most_tokens:
            padding += longest - self._by_length[start - 1].length
            if padding > run_cost:
                break
            start -= 1
        return start

    def _seed(self) -> Entry | None:
        while self._turns:
            request = self._turns[0]
            while request.waiting and request.waiting[0].taken:
                request.waiting.popleft()
            if request.waiting:
                return request.waiting[0]
            self._turns.popleft()
        return None


def _key(entry: Entry) -> tuple[int, int]:
    return entry.key
