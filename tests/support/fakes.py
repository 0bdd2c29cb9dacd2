"""A model that only counts and waits, for tests of what stands before the model."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import numpy as np

from encoderfile.errors import InternalError
from encoderfile.model.costs import Costs, assumed
from encoderfile.service.batcher import Batcher
from encoderfile.tasks.results import Result
from encoderfile.tasks.sentence_embedding import SentenceEmbedding
from encoderfile.types import EncodedText
from support.loop import settle

PATIENCE = 60
"""Seconds after which a forgotten gate fails its test instead of hanging it."""


def text(name: int, length: int = 1) -> EncodedText:
    """A text of `length` tokens; `name` is found again in its answer."""
    ids = np.full(length, name, dtype=np.int64)
    return EncodedText(ids, ids * 0, ids * 0, (), False)


def name_of(given: EncodedText) -> int:
    return int(given.input_ids[0])


def answer_to(given: EncodedText) -> Result | InternalError:
    """The answer to a text: its name."""
    return SentenceEmbedding(np.array([name_of(given)], dtype=np.float32))


def names(results: Sequence[Any]) -> list[int]:
    """The texts that were answered, in the order of their answers."""
    return [int(result.embedding[0]) for result in results]


class Runs:
    """The model, as a batcher knows it. Every run waits until the test lets it go, unless `open` was called."""

    def __init__(self, answer: Callable[[Sequence[EncodedText]], Any] | None = None, instances: int = 1) -> None:
        self._answer = answer or (lambda batch: [answer_to(each) for each in batch])
        self._loop = asyncio.get_running_loop()
        self._begun: asyncio.Queue[list[int]] = asyncio.Queue()
        self._gate = threading.Semaphore(0)
        self._is_open = False
        self.batches: list[list[EncodedText]] = []
        """The texts of every run."""
        self.all_threads: list[bool] = []
        """Whether each run had all threads."""
        self.costs = assumed("cpu", instances)
        self.instances = instances
        self.load_seconds = 0.0
        self.opened = 0
        """How often instances were opened."""

    def open_instances(self) -> bool:
        self.opened += 1
        return self.instances > 1

    def time_runs(self) -> Costs:
        return self.costs

    def run(self, batch: Sequence[EncodedText], all_threads: bool) -> Any:
        self.batches.append(list(batch))
        self.all_threads.append(all_threads)
        self._loop.call_soon_threadsafe(self._begun.put_nowait, [name_of(each) for each in batch])
        if not self._is_open:
            assert self._gate.acquire(timeout=PATIENCE), "nobody let the run go"
        return self._answer(batch)

    async def begun(self) -> list[int]:
        """The names of the next run's texts, once it has begun."""
        return await self._begun.get()

    def let_go(self) -> None:
        """Ends the run that waits, or the next one."""
        self._gate.release()

    def open(self) -> None:
        """Ends the runs that wait and lets all others pass."""
        self._is_open = True
        self._gate.release(256)

    @property
    def named(self) -> list[list[int]]:
        """The names of the texts of every run."""
        return [[name_of(each) for each in batch] for batch in self.batches]


@asynccontextmanager
async def running(runs: Runs, **limits: Any) -> AsyncIterator[Batcher[EncodedText, Result]]:
    """A batcher at work, stopped in the end whatever happens."""
    batcher: Batcher[EncodedText, Result] = Batcher(runs, **({"max_batch_tokens": 1000, "max_queue": 1000} | limits))
    try:
        yield batcher
    finally:
        runs.open()
        await batcher.stop()


async def send(batcher: Batcher[EncodedText, Result], *texts: EncodedText) -> "asyncio.Task[list[int]]":
    """A caller with these texts, who waits in the queue when this returns; his answer is a list of names."""

    async def call() -> list[int]:
        results, _ = await batcher.submit(texts)
        return names(results)

    task = asyncio.create_task(call())
    await settle(task)
    return task


async def hold(batcher: Batcher[EncodedText, Result], runs: Runs) -> "asyncio.Task[list[int]]":
    """Occupies the session with one text, so that whatever is sent next waits together."""
    task = await send(batcher, text(-1))
    assert await runs.begun() == [-1]
    return task
