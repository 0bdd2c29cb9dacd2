"""From texts that wait to runs of the model, and back to whole answers.

No timer: a run is what waits when there is room for one. Texts of like length share a run, so that padding is
small, and padded tokens are bounded, so that memory is. Requests take turns, so a huge request does not starve
small ones, nor the other way round.

What waits alone is run with all threads, for the sake of its latency. Where enough waits to keep every core busy,
runs of one thread each go side by side: no thread then waits for another between two operators, and a core that
is taken away for a moment holds up one run, not all.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from encoderfile.errors import ConfigError, DrainingError, ExhaustedError, InternalError, QueueFullError
from encoderfile.service import threads
from encoderfile.service.waiting import Entry, Request, Waiting
from encoderfile.tasks.results import Result
from encoderfile.types import EncodedText

log = logging.getLogger(__name__)

_LANE_RUN_COST = 4
"""What starting a run of one thread costs, in tokens: 3 were measured with MiniLM, 20 with a model of two layers."""

_SPEEDUP = 0.67
"""n threads make one run n ** 0.67 times as fast as one thread: measured with two."""

_LEFT_WAITING_TOKENS = 4096
"""Tokens that run while more wait before lanes are opened, which takes about as long as these."""

_STOPPED = "the server stopped before this request was answered"

Run = Callable[[Sequence[EncodedText], bool], list[Result | InternalError]]
"""Runs texts: with all threads, or with one beside others when the second argument says so."""


@dataclass(eq=False, slots=True)
class _Running:
    batch: list[Entry]
    tokens: int
    """Rows times longest row."""
    beside: bool
    """Whether it has one thread and others may run beside it."""


class Batcher:
    """Runs encoded texts in batches on threads of its own. Use from one event loop."""

    def __init__(
        self,
        run: Run,
        *,
        max_batch_tokens: int,
        max_queue: int,
        max_run_tokens: int | None = None,
        run_cost: int = 16,
        row_length: int | None = None,
        open_lanes: Callable[[], int] = lambda: 1,
        on_run: Callable[[int], None] = lambda _: None,
    ) -> None:
        """`max_batch_tokens` bounds rows times longest row of all that runs at a time, and `max_run_tokens` that of
        a run with all threads; a text alone may be longer. `max_queue` counts waiting texts.

        `run_cost` is what starting a run with all threads costs, in tokens: padding is worth so much. It is a
        constant, not learned, so that a server at rest cuts the same request the same way every time.
        `row_length` is given where every text is padded to one length, in tokens. `open_lanes` prepares runs side by
        side and says how many there may be; it is called once, in a thread, when more waits than one run takes.
        `on_run` is told the texts of each run that begins.

        Raises `ConfigError` when its thread cannot be had.
        """
        self._run = run
        self._max_batch_tokens = max_batch_tokens
        self._max_run_tokens = max_run_tokens or max_batch_tokens
        self._max_queue = max_queue
        self._open_lanes = open_lanes
        self._on_run = on_run
        self.on_exhausted: Callable[[ExhaustedError], None] = lambda _: None
        """Told for want of what a text failed."""
        self._lanes = 1
        self._left_waiting = 0
        self._waiting = Waiting(row_length)
        self._running: set[_Running] = set()
        self._run_cost = run_cost
        self._widening: asyncio.Task[None] | None = None
        # Runs with all threads start from one of their own: from one to the next they would find cold caches.
        self._threads = {False: threads.started(1, "session")}
        self._stopped = False

    @property
    def waiting(self) -> int:
        """Texts queued and not yet taken into a run."""
        return len(self._waiting)

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

        Raises `QueueFullError` and `DrainingError` at once, `InternalError` when a text of this request fails.
        Cancelling the caller frees its place.
        """
        if not texts:
            return [], 0.0
        if self._stopped:
            raise DrainingError(_STOPPED)
        self.admit(len(texts))
        loop = asyncio.get_running_loop()
        request = Request(loop.create_future(), [None] * len(texts), len(texts), time.perf_counter())
        self._waiting.add(request, texts)
        loop.call_soon(self._start_runs)  # after whatever else arrived at the same moment
        try:
            return await request.done, request.queue_seconds
        finally:
            if request.missing:
                self._waiting.drop(request)

    async def stop(self) -> None:
        """Starts no further run; whoever still waits for one gets `DrainingError`."""
        self._stopped = True
        for request in self._waiting.requests | {entry.request for run in self._running for entry in run.batch}:
            self._fail(request, DrainingError(_STOPPED))
        if self._widening is not None:
            self._widening.cancel()
            await asyncio.gather(self._widening, return_exceptions=True)
        for pool in self._threads.values():
            pool.shutdown(wait=False, cancel_futures=True)

    def _start_runs(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._stopped and (run := self._next_run()) is not None:
            self._running.add(run)
            try:
                self._threads[run.beside].submit(self._carry_out, run, loop)
            except RuntimeError as error:  # no thread, and the pool forgets what it was given
                self._finish(run, [ExhaustedError(f"the run did not start ({error})")] * len(run.batch))

    def _next_run(self) -> _Running | None:
        """The run to start now, out of the queue; None when nothing waits or there is no room."""
        if self._is_full():
            return None
        work = self._waiting.tokens + sum(run.tokens for run in self._running)
        beside = bool(self._running) or self._goes_beside(self._waiting.longest, work)
        if beside:
            most = min(self._max_batch_tokens, work) // self._lanes
            places = self._waiting.next_run(most, _LANE_RUN_COST)
        else:
            places = self._waiting.next_run(self._max_run_tokens, self._run_cost)
        if places is None:
            return None
        tokens = self._waiting.padded(places)
        if self._running and not self._goes_beside(tokens, work):
            return None  # its turn comes when the others are done
        batch = self._waiting.take(places)
        now = time.perf_counter()
        for entry in batch:
            if entry.request.started_at is None:
                entry.request.started_at = now
        self._on_run(len(batch))
        self._watch(tokens)
        return _Running(batch, tokens, beside)

    def _goes_beside(self, tokens: int, work: int) -> bool:
        """Whether a run of so many tokens may have one thread, where `work` is all that runs and waits.

        Not when it is more than its share of memory, nor when it alone would then take longer than everything
        one after the other with all threads.
        """
        share = self._max_batch_tokens // self._lanes
        return self._lanes > 1 and tokens <= share and tokens * self._lanes**_SPEEDUP <= work

    def _is_full(self) -> bool:
        """Side by side one run more than there are lanes is ready, so that no lane waits for the event loop."""
        if self._lanes == 1 or any(not run.beside for run in self._running):
            return bool(self._running)
        return len(self._running) > self._lanes

    def _watch(self, tokens: int) -> None:
        """Opens lanes once it is known that they are worth it."""
        if self._waiting.tokens and self._left_waiting < _LEFT_WAITING_TOKENS:
            self._left_waiting += tokens
            if self._left_waiting >= _LEFT_WAITING_TOKENS:
                self._widening = asyncio.get_running_loop().create_task(self.widen())

    async def widen(self) -> None:
        """Opens lanes now, where there may be any, instead of when much has waited for a while."""
        self._left_waiting = _LEFT_WAITING_TOKENS
        try:
            lanes = await asyncio.to_thread(self._open_lanes)
            if lanes == 1 or self._stopped:
                return
            self._threads[True] = threads.started(lanes, "session")
        except (ConfigError, RuntimeError) as error:
            log.warning("batches run one after another: %s", error)
            return
        self._lanes = lanes
        self._start_runs()

    def _carry_out(self, run: _Running, loop: asyncio.AbstractEventLoop) -> None:
        """On a thread of the session."""
        outcomes = self._run_safely([entry.text for entry in run.batch], run.beside)
        with contextlib.suppress(RuntimeError):  # the loop ended before the run did
            loop.call_soon_threadsafe(self._finish, run, outcomes)

    def _finish(self, run: _Running, outcomes: Sequence[Result | InternalError]) -> None:
        self._running.discard(run)
        try:
            self._start_runs()  # before the answers, which take the loop a while
        finally:
            for entry, outcome in zip(run.batch, outcomes, strict=True):
                self._deliver(entry, outcome)

    def _run_safely(self, texts: Sequence[EncodedText], beside: bool) -> list[Result | InternalError]:
        """Runs a batch on its thread. One text that breaks a batch does not spoil the others' answers."""
        try:
            results = self._run(texts, beside)
            if len(results) != len(texts):
                raise InternalError(f"the model gave {len(results)} results for {len(texts)} texts")
            return results
        except Exception as error:  # the batcher outlives whatever a batch does
            log.error("a batch of %d texts failed: %s", len(texts), error, exc_info=True)
            if len(texts) > 1:
                return [outcome for text in texts for outcome in self._run_safely([text], beside)]
            if isinstance(error, MemoryError):
                return [ExhaustedError("no memory is left for this run")]
            return [error if isinstance(error, InternalError) else InternalError("the model failed to run")]

    def _deliver(self, entry: Entry, outcome: Result | InternalError) -> None:
        request = entry.request
        if isinstance(outcome, InternalError):
            if isinstance(outcome, ExhaustedError):
                self.on_exhausted(outcome)
            self._fail(request, outcome)
            return
        request.results[entry.index] = outcome
        request.missing -= 1
        if request.missing == 0 and not request.done.done():
            request.done.set_result([result for result in request.results if result is not None])

    def _fail(self, request: Request, error: Exception) -> None:
        if not request.done.done():
            request.done.set_exception(error)
