"""The queue between requests and the session, and the one worker that empties it.

No timer: a batch is what waits when the session is free. Texts of like length share a batch, so that
padding is small, and padded tokens per run are bounded, so that memory is. Requests take turns as the
seed of a batch, so a huge request does not starve small ones, nor the other way round.
"""

from __future__ import annotations

import asyncio
import bisect
import itertools
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from encoderfile.errors import DrainingError, InternalError, QueueFullError
from encoderfile.types import EncodedText, Result

log = logging.getLogger(__name__)

_RUN_COST = 32
"""What starting a run costs, in tokens: one of 8 tokens takes as long as the next 32 in a larger one."""

_LOOK_AHEAD = 512
"""Texts above the seed that are cut into runs to find its own: bounds the work per run in a long queue."""

_MANY = 64
"""Texts above which a request is merged into the queue, not inserted one by one."""

Run = Callable[[Sequence[EncodedText]], list[Result | InternalError]]


@dataclass(eq=False, slots=True)
class _Request:
    """One admitted request: its texts wait together and its answer leaves whole."""

    done: asyncio.Future[list[Result]]
    results: list[Result | None]
    missing: int
    queued_at: float
    waiting: deque[_Entry] = field(default_factory=deque)
    started_at: float | None = None

    @property
    def queue_seconds(self) -> float:
        return (self.started_at or self.queued_at) - self.queued_at


@dataclass(eq=False, slots=True)
class _Entry:
    request: _Request
    index: int
    text: EncodedText
    key: tuple[int, int]
    """Length of its row and arrival: the order of the waiting list."""
    taken: bool = False

    @property
    def length(self) -> int:
        return self.key[0]


class Batcher:
    """Runs encoded texts in batches on one worker thread. Use from one event loop."""

    def __init__(self, run: Run, *, max_batch_tokens: int, max_queue: int, row_length: int | None = None) -> None:
        """`max_batch_tokens` bounds rows times longest row of a run; `max_queue` counts waiting texts.

        `row_length` is given where every text is padded to one length, in tokens.
        """
        self._run = run
        self._max_batch_tokens = max_batch_tokens
        self._max_queue = max_queue
        self._row_length = row_length
        self._by_length: list[_Entry] = []
        self._turns: deque[_Request] = deque()
        self._arrivals = itertools.count()
        self._wake = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="session")
        self._worker: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Starts the worker. Call once, inside the event loop."""
        self._worker = asyncio.create_task(self._work(), name="batcher")

    @property
    def waiting(self) -> int:
        """Texts queued and not yet taken into a run."""
        return len(self._by_length)

    def admit(self, count: int, ahead: int = 0) -> None:
        """Raises `QueueFullError` when `count` more texts are not taken now; `ahead` are on their way here.

        A request larger than the whole queue is taken when nothing else waits: it could never be otherwise.
        """
        waiting = self.waiting + ahead
        if waiting and waiting + count > self._max_queue:
            raise QueueFullError(
                f"the queue is full: at most {self._max_queue} texts wait, {waiting} do and {count} came; "
                "try again in a moment"
            )

    async def submit(self, texts: Sequence[EncodedText]) -> tuple[list[Result], float]:
        """One result per text, in order, and the seconds the first of them waited.

        Raises `QueueFullError` at once, `InternalError` when a text of this request fails.
        Cancelling the caller frees its place.
        """
        if not texts:
            return [], 0.0
        self.admit(len(texts))
        done = asyncio.get_running_loop().create_future()
        request = _Request(done, [None] * len(texts), len(texts), time.perf_counter())
        for index, text in enumerate(texts):
            request.waiting.append(
                _Entry(request, index, text, (self._row_length or len(text), next(self._arrivals)))
            )
        if len(texts) > _MANY:
            self._by_length += request.waiting
            self._by_length.sort(key=_key)  # what waited is in order already, so this is one merge
        else:
            for entry in request.waiting:
                bisect.insort(self._by_length, entry, key=_key)
        self._turns.append(request)
        self._wake.set()
        try:
            return await request.done, request.queue_seconds
        finally:
            if request.missing:
                self._drop(request)

    async def stop(self) -> None:
        """Ends the worker; whoever still waits gets `DrainingError`."""
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
        for request in {entry.request for entry in self._by_length} | set(self._turns):
            self._fail(request, DrainingError("the server stopped before this request was answered"))
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            batch = self._next_batch()
            if not batch:
                self._wake.clear()
                await self._wake.wait()
                continue
            outcomes = await loop.run_in_executor(self._thread, self._run_safely, [entry.text for entry in batch])
            for entry, outcome in zip(batch, outcomes, strict=True):
                self._deliver(entry, outcome)

    def _next_batch(self) -> list[_Entry]:
        """The run that holds the first waiting text of the request whose turn it is."""
        seed = self._next_seed()
        if seed is None:
            return []
        place = bisect.bisect_left(self._by_length, seed.key, key=_key)
        end = min(len(self._by_length), place + _LOOK_AHEAD)
        start = self._run_before(end)
        while start > place:
            start, end = self._run_before(start), start
        batch = self._by_length[start:end]
        del self._by_length[start:end]
        now = time.perf_counter()
        for entry in batch:
            entry.taken = True
            if entry.request.started_at is None:
                entry.request.started_at = now
        return batch

    def _run_before(self, end: int) -> int:
        """Where the run begins whose longest text is the last one before `end`.

        Runs are cut from the longest text down, always the same way, so that what one run leaves behind
        makes whole runs again. A shorter text joins while the budget lasts and while the padding it adds
        costs less than a run of its own.
        """
        longest = self._by_length[end - 1].length
        padding, start = 0, end - 1
        while start > 0 and (end - start + 1) * longest <= self._max_batch_tokens:
            padding += longest - self._by_length[start - 1].length
            if padding > max(_RUN_COST, (end - start + 1) * longest // 8):
                break
            start -= 1
        return start

    def _next_seed(self) -> _Entry | None:
        while self._turns:
            request = self._turns.popleft()
            while request.waiting and request.waiting[0].taken:
                request.waiting.popleft()
            if request.waiting:
                self._turns.append(request)
                return request.waiting[0]
        return None

    def _run_safely(self, texts: Sequence[EncodedText]) -> list[Result | InternalError]:
        """Runs a batch on the worker thread. One text that breaks a batch does not spoil the others' answers."""
        try:
            results = self._run(texts)
            if len(results) != len(texts):
                raise InternalError(f"the model gave {len(results)} results for {len(texts)} texts")
            return results
        except Exception as error:  # the worker outlives whatever a batch does
            log.error("a batch of %d texts failed: %s", len(texts), error, exc_info=True)
            if len(texts) > 1:
                return [outcome for text in texts for outcome in self._run_safely([text])]
            return [error if isinstance(error, InternalError) else InternalError("the model failed to run")]

    def _deliver(self, entry: _Entry, outcome: Result | InternalError) -> None:
        request = entry.request
        if isinstance(outcome, InternalError):
            self._fail(request, outcome)
            return
        request.results[entry.index] = outcome
        request.missing -= 1
        if request.missing == 0 and not request.done.done():
            request.done.set_result([result for result in request.results if result is not None])

    def _fail(self, request: _Request, error: Exception) -> None:
        if not request.done.done():
            request.done.set_exception(error)

    def _drop(self, request: _Request) -> None:
        """Takes a request's waiting texts out of the queue: its caller left, or it failed."""
        if any(not entry.taken for entry in request.waiting):
            self._by_length = [entry for entry in self._by_length if entry.request is not request]
        request.waiting.clear()


def _key(entry: _Entry) -> tuple[int, int]:
    return entry.key
