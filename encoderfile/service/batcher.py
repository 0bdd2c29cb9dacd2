"""Carries out what the scheduler chooses: from waiting items to runs of the model, and back to whole answers.

There is no timer: when a run can start, it takes what waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Callable, Sequence, Sized
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

from encoderfile.errors import DrainingError, EncoderfileError, ExhaustedError, InternalError, QueueFullError
from encoderfile.model.costs import Costs
from encoderfile.service import threads
from encoderfile.service.queue import Answer, Entry, Item, Queue, Request
from encoderfile.service.scheduler import Plan, Run, choose

log = logging.getLogger(__name__)

_STOPPED = "the server stopped before this request was answered"

Item_contra = TypeVar("Item_contra", bound=Sized, contravariant=True)
Answer_co = TypeVar("Answer_co", covariant=True)


class Runner(Protocol[Item_contra, Answer_co]):
    """The model, as the batcher knows it."""

    costs: Costs
    """What runs cost, until they are timed."""
    instances: int
    """Runs of one thread that may go at the same time once `open_instances` said yes."""
    load_seconds: float
    """About how long `open_instances` takes."""

    def run(self, batch: Sequence[Item_contra], all_threads: bool) -> Sequence[Answer_co | InternalError]:
        """One answer or failure for each item, with all threads or with one."""

    def open_instances(self) -> bool:
        """Prepares runs of one thread each. False where that cannot be."""

    def time_runs(self) -> Costs:
        """What runs cost, timed while nothing else runs."""


@dataclass(eq=False, slots=True)
class _Running(Generic[Item, Answer]):
    batch: list[Entry[Item, Answer]]
    run: Run
    started_at: float
    is_crowded: bool
    """Whether more waited when it started, for several instances to run."""


class Batcher(Generic[Item, Answer]):
    """Runs items in batches on threads of its own. Use from one event loop."""

    def __init__(
        self,
        runner: Runner[Item, Answer],
        *,
        max_batch_tokens: int,
        max_queue: int,
        max_run_tokens: int | None = None,
        row_length: int | None = None,
        on_run: Callable[[int], None] = lambda _: None,
    ) -> None:
        """`max_batch_tokens` bounds rows times longest row of all runs in flight, and `max_run_tokens` that of a run
        with all threads; an item alone may be longer. `max_queue` counts items that wait.

        `row_length` is the length that every item is padded to, if there is one, in tokens. `on_run` gets the number
        of items of each run. Raises `ConfigError` when its thread cannot be started.
        """
        self._runner = runner
        self._plan = Plan(max_batch_tokens, max_run_tokens or max_batch_tokens, runner.costs)
        self._max_queue = max_queue
        self._on_run = on_run
        self.on_exhausted: Callable[[ExhaustedError], None] = lambda _: None
        """Called with what an item failed for want of."""
        self._queue: Queue[Item, Answer] = Queue(row_length)
        self._running: set[_Running[Item, Answer]] = set()
        self._opening: asyncio.Task[None] | None = None
        self._seconds_to_opening = runner.load_seconds if runner.instances > 1 else math.inf
        # Runs with all threads start from one thread: another one would find cold caches.
        self._threads = {True: threads.started(1, "session")}
        self._stopped = False

    @property
    def waiting(self) -> int:
        """Items queued and not yet taken into a run."""
        return len(self._queue)

    def admit(self, count: int, ahead: int = 0) -> None:
        """Raises `QueueFullError` when `count` more items do not fit; `ahead` are on their way here.

        A request larger than the whole queue is taken when nothing else waits.
        """
        waiting = self.waiting + ahead
        if waiting and waiting + count > self._max_queue:
            raise QueueFullError(
                f"the queue is full: {waiting} texts wait (at most {self._max_queue}) and {count} more came; "
                "try again in a moment"
            )

    async def submit(self, items: Sequence[Item]) -> tuple[list[Answer], float]:
        """One answer per item, in order, and the seconds the first of them waited.

        Raises `QueueFullError` and `DrainingError` at once, `InternalError` when an item of this request fails.
        Cancelling the caller frees its place.
        """
        if not items:
            return [], 0.0
        if self._stopped:
            raise DrainingError(_STOPPED)
        self.admit(len(items))
        loop = asyncio.get_running_loop()
        request: Request[Item, Answer] = Request(
            loop.create_future(), [None] * len(items), len(items), time.perf_counter()
        )
        self._queue.add(request, items)
        loop.call_soon(self._start_runs)  # after whatever else arrived at the same moment
        try:
            return await request.done, request.queue_seconds
        finally:
            if request.missing:
                self._queue.drop(request)

    async def stop(self) -> None:
        """Starts no further run; requests that still wait for one fail with `DrainingError`."""
        self._stopped = True
        for request in self._queue.requests | {entry.request for each in self._running for entry in each.batch}:
            self._fail(request, DrainingError(_STOPPED))
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        for pool in self._threads.values():
            pool.shutdown(wait=False, cancel_futures=True)

    def _start_runs(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._stopped and (running := self._next_run()) is not None:
            self._running.add(running)
            try:
                self._threads[running.run.all_threads].submit(self._carry_out, running, loop)
            except RuntimeError as error:  # no thread, and the pool forgets what it was given
                self._finish(running, [ExhaustedError(f"the run did not start ({error})")] * len(running.batch))

    def _next_run(self) -> _Running[Item, Answer] | None:
        """The run to start now, out of the queue; None when nothing waits or a run has to end first."""
        waiting = self._queue.waiting
        choice = waiting and choose(waiting, [each.run for each in self._running], self._plan)
        if not choice:
            return None
        batch = self._queue.take(choice.places)
        now = time.perf_counter()
        for entry in batch:
            if entry.request.started_at is None:
                entry.request.started_at = now
        self._on_run(len(batch))
        return _Running(batch, choice.run, now, self._is_crowded())

    def _is_crowded(self) -> bool:
        """Whether several instances, were they open, would have something to do now."""
        waiting = None if self._seconds_to_opening == math.inf else self._queue.waiting
        choice = waiting and choose(waiting, (), replace(self._plan, instances=self._runner.instances))
        return bool(choice and not choice.run.all_threads)

    async def open_instances(self) -> None:
        """Opens instances now, if there may be several, without waiting for many requests."""
        self._seconds_to_opening = math.inf
        try:
            if not await asyncio.to_thread(self._runner.open_instances) or self._stopped:
                return
            # On this thread nothing else runs meanwhile.
            costs = await asyncio.get_running_loop().run_in_executor(self._threads[True], self._runner.time_runs)
            self._threads[False] = threads.started(self._runner.instances, "session")
        except (EncoderfileError, RuntimeError) as error:
            log.warning("one instance only: %s", error)
            return
        self._plan = replace(self._plan, costs=costs, instances=self._runner.instances)
        self._start_runs()

    def _carry_out(self, running: _Running[Item, Answer], loop: asyncio.AbstractEventLoop) -> None:
        """On a thread of the session."""
        outcomes = self._run_safely([entry.item for entry in running.batch], running.run.all_threads)
        with contextlib.suppress(RuntimeError):  # the loop ended before the run did
            loop.call_soon_threadsafe(self._finish, running, outcomes)

    def _finish(self, running: _Running[Item, Answer], outcomes: Sequence[Answer | InternalError]) -> None:
        self._running.discard(running)
        try:
            if running.is_crowded:
                # They are opened when crowded runs have taken as long as opening takes: whatever comes afterwards,
                # that costs at most twice as much as the best choice would have.
                self._seconds_to_opening -= time.perf_counter() - running.started_at
                if self._seconds_to_opening <= 0:
                    self._opening = asyncio.get_running_loop().create_task(self.open_instances())
            self._start_runs()  # before the answers, which take the loop a while
        finally:
            for entry, outcome in zip(running.batch, outcomes, strict=True):
                self._deliver(entry, outcome)

    def _run_safely(self, items: Sequence[Item], all_threads: bool) -> Sequence[Answer | InternalError]:
        """Runs a batch on its thread. One item that breaks a batch does not spoil the others' answers."""
        try:
            results = self._runner.run(items, all_threads)
            if len(results) != len(items):
                raise InternalError(f"the model gave {len(results)} results for {len(items)} texts")
            return results
        except Exception as error:  # the batcher outlives whatever a batch does
            log.error("a batch of %d texts failed: %s", len(items), error, exc_info=True)
            if len(items) > 1:
                return [outcome for item in items for outcome in self._run_safely([item], all_threads)]
            if isinstance(error, MemoryError):
                return [ExhaustedError("no memory is left for this run")]
            return [error if isinstance(error, InternalError) else InternalError("the model failed to run")]

    def _deliver(self, entry: Entry[Item, Answer], outcome: Answer | InternalError) -> None:
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

    def _fail(self, request: Request[Item, Answer], error: Exception) -> None:
        if not request.done.done():
            request.done.set_exception(error)
