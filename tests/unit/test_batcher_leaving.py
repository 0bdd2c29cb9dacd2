"""Requests that are cancelled, queues that are full, and servers that stop."""

import asyncio

import pytest

from encoderfile.errors import DrainingError, QueueFullError
from support.fakes import Runs, hold, names, running, send, text
from support.loop import in_loop, settle
from support.refusals import one_sentence


@in_loop
async def test_a_request_that_is_cancelled_frees_its_place_and_is_not_run() -> None:
    runs = Runs()
    async with running(runs, max_queue=3) as batcher:
        await hold(batcher, runs)
        left = await send(batcher, text(1), text(1))
        stays = await send(batcher, text(2))
        left.cancel()
        await settle(left)
        assert left.cancelled()
        assert batcher.waiting == 1
        other = await send(batcher, text(3), text(3))
        runs.let_go()
        assert sorted(await runs.begun()) == [2, 3, 3]
        runs.let_go()
        assert await stays == [2]
        assert await other == [3, 3]


@in_loop
async def test_a_request_that_is_cancelled_in_the_middle_is_run_no_further() -> None:
    runs = Runs()
    async with running(runs, max_batch_tokens=1) as batcher:
        left = await send(batcher, text(1), text(1), text(1))
        assert await runs.begun() == [1]
        stays = await send(batcher, text(2))
        left.cancel()
        await settle(left)
        runs.let_go()
        assert await runs.begun() == [2]
        runs.let_go()
        assert await stays == [2]
        assert runs.named == [[1], [2]]


@in_loop
async def test_a_request_that_is_cancelled_does_not_disturb_the_texts_that_share_its_run() -> None:
    runs = Runs()
    async with running(runs) as batcher:
        await hold(batcher, runs)
        left, stays = await send(batcher, text(1)), await send(batcher, text(2))
        runs.let_go()
        assert sorted(await runs.begun()) == [1, 2]
        left.cancel()
        await settle(left)
        runs.let_go()
        assert await stays == [2]


@in_loop
async def test_a_full_queue_refuses_at_once_with_its_numbers() -> None:
    runs = Runs()
    async with running(runs, max_queue=3) as batcher:
        await hold(batcher, runs)
        await send(batcher, text(1), text(2))
        refused = await send(batcher, text(3), text(4))
        assert refused.done()
        error = refused.exception()
        assert isinstance(error, QueueFullError)
        assert one_sentence(error) == (
            "the queue is full: 2 texts wait (at most 3) and 2 more came; try again in a moment"
        )
        assert batcher.waiting == 2


@in_loop
async def test_the_last_place_of_the_queue_is_given_away() -> None:
    runs = Runs()
    async with running(runs, max_queue=3) as batcher:
        await hold(batcher, runs)
        await send(batcher, text(1), text(2))
        last = await send(batcher, text(3))
        assert not last.done()
        assert batcher.waiting == 3
        assert (await send(batcher, text(4))).done()


@in_loop
async def test_texts_that_run_do_not_count_as_waiting() -> None:
    runs = Runs()
    async with running(runs, max_queue=1) as batcher:
        await hold(batcher, runs)
        assert batcher.waiting == 0
        assert not (await send(batcher, text(1))).done()


@in_loop
async def test_a_request_larger_than_the_queue_is_taken_when_nothing_waits() -> None:
    runs = Runs()
    async with running(runs, max_queue=2) as batcher:
        await hold(batcher, runs)
        large = await send(batcher, *(text(name) for name in range(5)))
        assert not large.done()
        assert (await send(batcher, text(9))).done(), "and nothing beside it"
        runs.let_go()
        await runs.begun()
        runs.let_go()
        assert await large == [0, 1, 2, 3, 4]


@in_loop
async def test_a_queue_that_was_full_takes_texts_again() -> None:
    runs = Runs()
    async with running(runs, max_queue=1) as batcher:
        await hold(batcher, runs)
        first = await send(batcher, text(1))
        assert (await send(batcher, text(2))).done()
        runs.open()
        assert await first == [1]
        results, _ = await batcher.submit([text(3)])
        assert names(results) == [3]


@in_loop
async def test_whoever_waits_when_the_server_stops_is_told_so() -> None:
    runs = Runs()
    async with running(runs, max_batch_tokens=1) as batcher:
        in_run = await send(batcher, text(1), text(1))
        await runs.begun()
        waits = await send(batcher, text(2))
        await batcher.stop()
        for task in (in_run, waits):
            with pytest.raises(DrainingError) as told:
                await task
            assert str(told.value) == "the server stopped before this request was answered"
        runs.open()


@in_loop
async def test_whoever_comes_after_the_stop_is_told_so() -> None:
    runs = Runs()
    async with running(runs) as batcher:
        await batcher.stop()
        with pytest.raises(DrainingError):
            await batcher.submit([text(1)])


@in_loop
async def test_stopping_twice_or_before_the_start_does_no_harm() -> None:
    from encoderfile.service.batcher import Batcher

    runs = Runs()
    never_started = Batcher(runs, max_batch_tokens=1, max_queue=1)
    await never_started.stop()
    async with running(runs) as batcher:
        await batcher.stop()
        await asyncio.gather(batcher.stop(), batcher.stop())
