"""Where enough waits, runs of one thread each go at the same time; what is alone gets all threads."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from encoderfile.model.costs import Costs
from encoderfile.service import batcher as module
from encoderfile.service.batcher import Batcher
from encoderfile.tasks.results import Result
from encoderfile.types import EncodedText
from support.fakes import Runs, running, send, text
from support.loop import in_loop

INSTANCES = 3


@asynccontextmanager
async def opened(runs: Runs, **limits: Any) -> AsyncIterator[Batcher[EncodedText, Result]]:
    """A batcher whose instances are open."""
    async with running(runs, **limits) as batcher:
        await batcher.open_instances()
        yield batcher


@in_loop
async def test_a_text_alone_is_run_with_all_threads() -> None:
    runs = Runs(instances=INSTANCES)
    runs.open()
    async with opened(runs) as batcher:
        for name in (1, 2):
            assert await (await send(batcher, text(name, 10))) == [name]
    assert runs.all_threads == [True, True]


@in_loop
async def test_nothing_starts_while_a_run_has_all_threads() -> None:
    runs = Runs(instances=INSTANCES)
    async with opened(runs) as batcher:
        await send(batcher, text(0, 10))
        assert await runs.begun() == [0]
        for name in (1, 2, 3):
            await send(batcher, text(name, 10))
        assert batcher.waiting == 3


@in_loop
async def test_what_fills_the_instances_is_run_at_the_same_time() -> None:
    runs = Runs(instances=INSTANCES)
    async with opened(runs) as batcher:
        tasks = [await send(batcher, text(0, 10))]
        await runs.begun()
        tasks += [await send(batcher, text(name, 10)) for name in (1, 2, 3)]
        runs.let_go()
        begun = [await runs.begun() for _ in range(INSTANCES)]
        assert sorted(begun) == [[1], [2], [3]], "all run, and none has ended"
        runs.open()
        assert await asyncio.gather(*tasks) == [[0], [1], [2], [3]]
    assert runs.all_threads == [True, False, False, False]


@in_loop
async def test_one_run_more_than_there_are_instances_is_ready() -> None:
    runs = Runs(instances=INSTANCES)
    async with opened(runs, max_batch_tokens=30) as batcher:
        await send(batcher, *(text(name, 10) for name in range(9)))
        for _ in range(INSTANCES):
            await runs.begun()
        assert batcher.waiting == 9 - INSTANCES - 1
        runs.let_go()
        assert len(await runs.begun()) == 1


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(module, "time", self)

    def perf_counter(self) -> float:
        return self.now


@in_loop
async def test_instances_open_once_crowded_runs_have_taken_as_long_as_loading_the_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, runs = Clock(monkeypatch), Runs(instances=INSTANCES)
    runs.load_seconds = 1.0
    runs.costs = replace(runs.costs, one_thread_run=0)
    async with running(runs, max_run_tokens=10) as batcher:

        async def crowded(seconds: float) -> None:
            """Four equal texts, one run each, of which the first takes so long."""
            tasks = [await send(batcher, *(text(name, 10) for name in range(4)))]
            await runs.begun()
            clock.now += seconds
            runs.let_go()
            for _ in range(3):
                await runs.begun()
                runs.let_go()
            await asyncio.gather(*tasks)

        await crowded(0.6)
        alone = await send(batcher, text(9, 10))
        await runs.begun()
        clock.now += 60
        runs.let_go()
        await alone
        assert runs.opened == 0, "a run alone does not count, however long"
        await crowded(0.6)
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))  # the one that opens them
        assert runs.opened == 1
        task = await send(batcher, *(text(name, 10) for name in range(6)))
        runs.open()
        await task
        assert runs.opened == 1
    assert not all(runs.all_threads)


@in_loop
async def test_what_runs_cost_is_timed_when_instances_open_and_holds_from_then_on() -> None:
    class Dear(Runs):
        def time_runs(self) -> Costs:
            return Costs(run=64, one_thread_run=0, speedup=1.5)

    runs = Dear(instances=INSTANCES)
    runs.open()
    async with running(runs) as batcher:
        first = await send(batcher, text(1, 10), text(2, 50))
        await first
        assert [len(batch) for batch in runs.batches] == [1, 1], "40 tokens of padding cost more than a run"
        await batcher.open_instances()
        second = await send(batcher, text(1, 10), text(2, 50))
        await second
    assert [len(batch) for batch in runs.batches[2:]] == [2]


@in_loop
async def test_where_no_instances_can_be_opened_runs_go_on_one_after_another() -> None:
    runs = Runs()
    async with running(runs) as batcher:
        await batcher.open_instances()
        task = await send(batcher, text(0, 10))
        await runs.begun()
        more = await send(batcher, *(text(name, 10) for name in (1, 2, 3)))
        runs.let_go()
        assert sorted(await runs.begun()) == [1, 2, 3]
        runs.let_go()
        assert await asyncio.gather(task, more) == [[0], [1, 2, 3]]
    assert runs.all_threads == [True, True]


@in_loop
async def test_a_run_with_all_threads_has_a_budget_of_its_own() -> None:
    runs = Runs()
    async with running(runs, max_batch_tokens=1000, max_run_tokens=30) as batcher:
        task = await send(batcher, *(text(name, 10) for name in range(6)))
        runs.open()
        await task
    assert [len(batch) for batch in runs.batches] == [3, 3]


@in_loop
async def test_answers_arrive_though_no_further_run_can_be_started() -> None:
    begun: list[int] = []

    def refuse_the_second(count: int) -> None:
        begun.append(count)
        if len(begun) == 2:
            raise RuntimeError("can't start new thread")

    runs = Runs()
    async with running(runs, max_batch_tokens=1, on_run=refuse_the_second) as batcher:
        first = await send(batcher, text(1))
        await runs.begun()
        await send(batcher, text(2))
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        runs.open()
        assert await first == [1]
