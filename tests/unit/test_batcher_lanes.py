"""Where enough waits, runs of one thread each go side by side; what is alone gets all threads."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from encoderfile.service import batcher as module
from encoderfile.service.batcher import Batcher
from support.fakes import Runs, running, send, text
from support.loop import in_loop

LANES = 3


@asynccontextmanager
async def wide_open(runs: Runs, **limits: Any) -> AsyncIterator[Batcher]:
    """A batcher whose lanes are open."""
    async with running(runs, open_lanes=lambda: LANES, **limits) as batcher:
        await batcher.widen()
        yield batcher


@in_loop
async def test_a_text_alone_is_run_with_all_threads() -> None:
    runs = Runs()
    runs.open()
    async with wide_open(runs) as batcher:
        for name in (1, 2):
            assert await (await send(batcher, text(name, 10))) == [name]
    assert runs.beside == [False, False]


@in_loop
async def test_nothing_starts_beside_a_run_with_all_threads() -> None:
    runs = Runs()
    async with wide_open(runs) as batcher:
        await send(batcher, text(0, 10))
        assert await runs.begun() == [0]
        for name in (1, 2, 3):
            await send(batcher, text(name, 10))
        assert batcher.waiting == 3


@in_loop
async def test_what_fills_the_lanes_is_run_side_by_side() -> None:
    runs = Runs()
    async with wide_open(runs) as batcher:
        tasks = [await send(batcher, text(0, 10))]
        await runs.begun()
        tasks += [await send(batcher, text(name, 10)) for name in (1, 2, 3)]
        runs.let_go()
        begun = [await runs.begun() for _ in range(LANES)]
        assert sorted(begun) == [[1], [2], [3]], "all run, and none has ended"
        runs.open()
        assert await asyncio.gather(*tasks) == [[0], [1], [2], [3]]
    assert runs.beside == [False, True, True, True]


@in_loop
async def test_the_texts_of_one_request_are_spread_over_the_lanes() -> None:
    runs = Runs()
    async with wide_open(runs) as batcher:
        task = await send(batcher, *(text(name, 10) for name in range(9)))
        begun = [await runs.begun() for _ in range(LANES)]
        assert [len(batch) for batch in begun] == [3, 3, 3]
        runs.open()
        assert await task == list(range(9))


@in_loop
async def test_one_run_more_than_there_are_lanes_is_ready() -> None:
    runs = Runs()
    async with wide_open(runs, max_batch_tokens=30) as batcher:
        await send(batcher, *(text(name, 10) for name in range(9)))
        for _ in range(LANES):
            await runs.begun()
        assert batcher.waiting == 9 - LANES - 1
        runs.let_go()
        assert len(await runs.begun()) == 1


@in_loop
async def test_a_text_much_longer_than_the_rest_waits_until_it_can_have_all_threads() -> None:
    runs = Runs()
    async with wide_open(runs) as batcher:
        tasks = [await send(batcher, *(text(name, 10) for name in (1, 2, 3)))]
        for _ in range(LANES):
            await runs.begun()
        tasks += [await send(batcher, text(4, 200)), await send(batcher, text(5, 10))]
        runs.let_go()
        runs.let_go()
        await asyncio.sleep(0)
        assert len(runs.batches) == LANES
        runs.open()
        await asyncio.gather(*tasks)
    assert runs.named[LANES] == [4]
    assert not runs.beside[LANES]


@pytest.mark.parametrize("budget", [1, 7, 32, 100])
@in_loop
async def test_what_runs_at_once_keeps_to_the_budget(budget: int) -> None:
    runs = Runs()
    async with wide_open(runs, max_batch_tokens=budget) as batcher:
        task = await send(batcher, *(text(name, name * 17 % 23 + 1) for name in range(60)))
        while not task.done():
            under_way = [run.tokens for run in batcher._running]
            assert max(under_way, default=0) * LANES <= budget or len(under_way) == 1
            runs.let_go()
            await asyncio.sleep(0)
        assert await task == list(range(60))


@in_loop
async def test_lanes_open_once_much_has_waited_for_a_while() -> None:
    opened: list[int] = []

    def open_lanes() -> int:
        opened.append(1)
        return LANES

    runs = Runs()
    runs.open()
    async with running(runs, max_batch_tokens=1, open_lanes=open_lanes) as batcher:
        half = module._LEFT_WAITING_TOKENS // 2
        for _ in range(3):
            await batcher.submit([text(1, half)])
        assert opened == [], "one after another they need none"
        await batcher.submit([text(1, half), text(2, half), text(3, half)])
        await batcher.submit([text(1, half), text(2, half), text(3, half)])
    assert opened == [1]


@in_loop
async def test_where_no_lanes_can_be_opened_runs_go_on_one_after_another() -> None:
    runs = Runs()
    async with running(runs) as batcher:
        await batcher.widen()
        task = await send(batcher, text(0, 10))
        await runs.begun()
        more = await send(batcher, *(text(name, 10) for name in (1, 2, 3)))
        runs.let_go()
        assert sorted(await runs.begun()) == [1, 2, 3]
        runs.let_go()
        assert await asyncio.gather(task, more) == [[0], [1, 2, 3]]
    assert runs.beside == [False, False]


@in_loop
async def test_where_the_longest_text_is_better_run_wide_all_that_waits_is() -> None:
    runs = Runs()
    async with wide_open(runs) as batcher:
        tasks = [await send(batcher, text(0, 10))]
        await runs.begun()
        tasks += [await send(batcher, text(name, 10 * name)) for name in (1, 40)]
        runs.open()
        await asyncio.gather(*tasks)
    assert runs.beside == [False] * 3, "a short text on one core would hold the long one up"


@in_loop
async def test_a_run_with_all_threads_has_a_budget_of_its_own() -> None:
    runs = Runs()
    async with running(runs, max_batch_tokens=1000, max_run_tokens=30) as batcher:
        task = await send(batcher, *(text(name, 10) for name in range(6)))
        runs.open()
        await task
    assert [len(batch) for batch in runs.batches] == [3, 3]


@in_loop
async def test_answers_arrive_though_no_further_run_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = Runs()
    async with running(runs, max_batch_tokens=1) as batcher:
        first = await send(batcher, text(1))
        await runs.begun()
        await send(batcher, text(2))

        def refuse(*_: object) -> None:
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(batcher, "_start_runs", refuse)
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        runs.open()
        assert await first == [1]
