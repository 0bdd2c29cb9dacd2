"""The queue: what waits together runs together, in bounded batches, and comes back in order."""

import asyncio

import pytest

from encoderfile.service import batcher as module
from encoderfile.types import EncodedText
from support.fakes import Runs, hold, name_of, running, send, text
from support.loop import in_loop, settle


@in_loop
async def test_results_come_back_in_the_order_of_the_texts() -> None:
    runs = Runs()
    runs.open()
    async with running(runs, max_batch_tokens=16) as batcher:
        requests = [[(n * 100 + i, (7 * i + n) % 11 + 1) for i in range(n + 1)] for n in range(12)]
        tasks = [await send(batcher, *(text(*each) for each in request)) for request in requests]
        answers = await asyncio.gather(*tasks)
    assert answers == [[name for name, _ in request] for request in requests]
    assert sum(len(batch) for batch in runs.batches) == sum(len(answer) for answer in answers), "each text runs once"


@in_loop
async def test_a_lone_text_runs_at_once() -> None:
    runs = Runs()
    async with running(runs) as batcher:
        task = await send(batcher, text(1))
        assert await runs.begun() == [1]
        runs.let_go()
        assert await task == [1]


@in_loop
async def test_what_waits_when_the_session_is_free_runs_together() -> None:
    runs = Runs()
    async with running(runs) as batcher:
        await hold(batcher, runs)
        for name in (1, 2, 3):
            await send(batcher, text(name))
        assert batcher.waiting == 3
        runs.let_go()
        assert sorted(await runs.begun()) == [1, 2, 3]
        assert batcher.waiting == 0


def padded(batch: list[EncodedText]) -> int:
    return len(batch) * max(len(each) for each in batch)


@pytest.mark.parametrize("budget", [1, 7, 32, 100])
@in_loop
async def test_padded_tokens_of_a_run_keep_to_the_budget(budget: int) -> None:
    runs = Runs()
    async with running(runs, max_batch_tokens=budget) as batcher:
        holding = await hold(batcher, runs)
        task = await send(batcher, *(text(name, name * 17 % 23 + 1) for name in range(60)))
        runs.open()
        await asyncio.gather(holding, task)
    assert all(padded(batch) <= budget or len(batch) == 1 for batch in runs.batches)
    if budget >= 32:
        assert len(runs.batches) < 60, "texts do share runs"


@in_loop
async def test_a_text_above_the_budget_runs_alone() -> None:
    runs = Runs()
    async with running(runs, max_batch_tokens=10) as batcher:
        holding = await hold(batcher, runs)
        task = await send(batcher, text(1, 50), text(2, 50), text(3, 5))
        runs.open()
        await asyncio.gather(holding, task)
    assert sorted(runs.named[1:]) == [[1], [2], [3]]


@in_loop
async def test_texts_of_like_length_share_a_run() -> None:
    runs = Runs()
    async with running(runs, max_batch_tokens=200) as batcher:
        holding = await hold(batcher, runs)
        short = {name: 1 + name % 2 for name in range(0, 20, 2)}
        long = {name: 50 - name % 3 for name in range(1, 8, 2)}
        task = await send(batcher, *(text(name, length) for name, length in (short | long).items()))
        runs.open()
        await asyncio.gather(holding, task)
    assert [set(batch) for batch in runs.named[1:]] == [set(short), set(long)]


@in_loop
async def test_a_huge_request_does_not_starve_a_small_one() -> None:
    runs = Runs()
    async with running(runs, max_batch_tokens=100) as batcher:
        await hold(batcher, runs)
        huge = await send(batcher, *(text(1, 10) for _ in range(500)))
        small = await send(batcher, text(2, 30))
        runs.let_go()
        assert set(await runs.begun()) == {1}
        runs.let_go()
        assert 2 in await runs.begun()
        runs.let_go()
        assert await small == [2]
        assert not huge.done()


@in_loop
async def test_small_requests_do_not_starve_a_huge_one() -> None:
    runs = Runs()
    async with running(runs, max_batch_tokens=10) as batcher:
        await hold(batcher, runs)
        huge = await send(batcher, text(1, 10), text(1, 10), text(1, 10))
        begun: list[int] = []
        for name in range(2, 9):
            await send(batcher, text(name, 10))
            runs.let_go()
            begun += await runs.begun()
        assert begun.count(1) == 3, f"one of these every other turn: {begun}"
        assert huge.done()


@in_loop
async def test_requests_take_turns() -> None:
    runs = Runs()
    async with running(runs, max_batch_tokens=10) as batcher:
        holding = await hold(batcher, runs)
        one = await send(batcher, *(text(1, 10) for _ in range(3)))
        two = await send(batcher, *(text(2, 10) for _ in range(3)))
        runs.open()
        await asyncio.gather(holding, one, two)
    assert runs.named[1:] == [[1], [2], [1], [2], [1], [2]]


@in_loop
async def test_the_wait_is_measured_until_the_first_text_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock:
        now = 0.0

        def perf_counter(self) -> float:
            return self.now

    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    runs = Runs()
    async with running(runs, max_batch_tokens=1) as batcher:
        await hold(batcher, runs)
        clock.now = 10.0
        task = asyncio.create_task(batcher.submit([text(1), text(2)]))
        await settle(task)
        clock.now = 12.5
        runs.let_go()
        await runs.begun()
        clock.now = 100.0
        runs.let_go()
        await runs.begun()
        runs.let_go()
        _, waited = await task
    assert waited == 2.5


@in_loop
async def test_a_request_without_texts_is_answered_without_a_run() -> None:
    runs = Runs()
    async with running(runs) as batcher:
        assert await batcher.submit([]) == ([], 0.0)
    assert runs.batches == []


@in_loop
async def test_texts_padded_to_one_length_count_with_that_length() -> None:
    runs = Runs()
    async with running(runs, max_batch_tokens=64, row_length=16) as batcher:
        holding = await hold(batcher, runs)
        task = await send(batcher, *(text(name, name % 5 + 1) for name in range(12)))
        runs.open()
        await asyncio.gather(holding, task)
    assert [len(batch) for batch in runs.batches] == [1, 4, 4, 4]
    assert name_of(runs.batches[0][0]) == -1
