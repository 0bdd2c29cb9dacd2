"""The queue: items ordered by length, and the turns of their requests."""

from __future__ import annotations

import asyncio
import bisect
import itertools
from collections import deque
from collections.abc import Sequence, Sized
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from encoderfile.service.scheduler import Waiting

Item = TypeVar("Item", bound=Sized)
Answer = TypeVar("Answer")

_MANY = 64
"""Items above which a request is merged into the queue, not inserted one by one."""


@dataclass(eq=False, slots=True)
class Request(Generic[Item, Answer]):
    """One admitted request: its items wait together and its answer leaves whole."""

    done: asyncio.Future[list[Answer]]
    results: list[Answer | None]
    missing: int
    queued_at: float
    waiting: deque[Entry[Item, Answer]] = field(default_factory=deque)
    started_at: float | None = None

    @property
    def queue_seconds(self) -> float:
        """How long the first of its items waited."""
        return (self.started_at or self.queued_at) - self.queued_at


@dataclass(eq=False, slots=True)
class Entry(Generic[Item, Answer]):
    """One item of a request."""

    request: Request[Item, Answer]
    index: int
    item: Item
    key: tuple[int, int]
    """Length of its row and arrival: the order of the queue."""
    taken: bool = False

    @property
    def length(self) -> int:
        """Tokens of its row."""
        return self.key[0]


class Queue(Generic[Item, Answer]):
    """The items that are not yet taken into a run. It knows only their lengths, in tokens."""

    def __init__(self, row_length: int | None) -> None:
        """`row_length` is given where every item is padded to one length, in tokens."""
        self._row_length = row_length
        self._entries: list[Entry[Item, Answer]] = []
        self._lengths: list[int] = []
        self._turns: deque[Request[Item, Answer]] = deque()
        self._arrivals = itertools.count()
        self._tokens = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def requests(self) -> set[Request[Item, Answer]]:
        """Those with an item that waits."""
        return {entry.request for entry in self._entries}

    @property
    def waiting(self) -> Waiting | None:
        """What there is to choose from, until the queue changes; None when it is empty."""
        first = self._first()
        if first is None:
            return None
        return Waiting(self._lengths, self._tokens, bisect.bisect_left(self._entries, first.key, key=_key))

    def add(self, request: Request[Item, Answer], items: Sequence[Item]) -> None:
        """Queues all items of `request`."""
        for index, item in enumerate(items):
            request.waiting.append(Entry(request, index, item, (self._row_length or len(item), next(self._arrivals))))
        if len(items) > _MANY:
            entries = [*self._entries, *request.waiting]
            entries.sort(key=_key)  # what waited is in order already, so this is one merge
            self._set(entries)
        else:
            for entry in request.waiting:
                place = bisect.bisect_right(self._lengths, entry.length)
                self._entries.insert(place, entry)
                self._lengths.insert(place, entry.length)
                self._tokens += entry.length
        self._turns.append(request)

    def drop(self, request: Request[Item, Answer]) -> None:
        """Removes what still waits of `request`: its caller left, or it failed."""
        if any(not entry.taken for entry in request.waiting):
            self._set([entry for entry in self._entries if entry.request is not request])
        request.waiting.clear()

    def take(self, places: range) -> list[Entry[Item, Answer]]:
        """Removes the items of a run; it is then the next request's turn."""
        cut = slice(places.start, places.stop)
        batch = self._entries[cut]
        del self._entries[cut], self._lengths[cut]
        for entry in batch:
            entry.taken = True
            self._tokens -= entry.length
        self._turns.rotate(-1)
        return batch

    def _set(self, entries: list[Entry[Item, Answer]]) -> None:
        self._entries = entries
        self._lengths = [entry.length for entry in entries]
        self._tokens = sum(self._lengths)

    def _first(self) -> Entry[Item, Answer] | None:
        """The first item that waits of the request whose turn it is."""
        while self._turns:
            request = self._turns[0]
            while request.waiting and request.waiting[0].taken:
                request.waiting.popleft()
            if request.waiting:
                return request.waiting[0]
            self._turns.popleft()
        return None


def _key(entry: Entry[Item, Answer]) -> tuple[int, int]:
    return entry.key
