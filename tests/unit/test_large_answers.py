"""Large answers are bounded together, admitted in turn, and forgotten whatever happens."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from encoderfile.errors import QueueFullError
from encoderfile.service import large_answers as module
from encoderfile.service.large_answers import LARGE, LargeAnswers, sending
from support.loop import in_loop, settle


class Asker:
    """One whose answer is in flight until told to end."""

    def __init__(self, answers: LargeAnswers, values: int) -> None:
        self.admitted = False
        self.go_on = asyncio.Event()
        self.task = asyncio.create_task(self._ask(answers, values))

    async def _ask(self, answers: LargeAnswers, values: int) -> None:
        async with answers.admitted(values, 1):
            self.admitted = True
            await self.go_on.wait()

    async def end(self) -> None:
        self.go_on.set()
        await self.task

    async def leave(self) -> None:
        self.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await self.task


@asynccontextmanager
async def askers(answers: LargeAnswers, *values: int) -> AsyncIterator[list[Asker]]:
    found = [Asker(answers, each) for each in values]
    await settle(*(each.task for each in found))
    try:
        yield found
    finally:
        for each in found:
            each.task.cancel()
        await asyncio.gather(*(each.task for each in found), return_exceptions=True)


@in_loop
async def test_large_answers_are_admitted_in_turn() -> None:
    answers = LargeAnswers(3 * LARGE)
    async with askers(answers, 2 * LARGE, 2 * LARGE, LARGE) as (first, second, third):
        assert [each.admitted for each in (first, second, third)] == [True, False, False]
        assert answers.waiting == 2
        await first.end()
        await settle(second.task, third.task)
        assert second.admitted
        assert third.admitted
        assert answers.waiting == 0


@in_loop
async def test_small_answers_never_wait() -> None:
    answers = LargeAnswers(LARGE)
    async with askers(answers, LARGE, LARGE, LARGE - 1) as (_, large, small):
        assert not large.admitted
        assert small.admitted


@in_loop
async def test_an_answer_larger_than_the_room_goes_alone() -> None:
    answers = LargeAnswers(LARGE)
    async with askers(answers, 5 * LARGE, LARGE) as (huge, other):
        assert huge.admitted
        assert not other.admitted
        await huge.end()
        await settle(other.task)
        assert other.admitted


@in_loop
async def test_without_a_bound_nobody_waits() -> None:
    async with askers(LargeAnswers(None), LARGE, 100 * LARGE) as found:
        assert all(each.admitted for each in found)


@in_loop
async def test_a_waiter_that_is_cancelled_gives_its_place_to_the_next() -> None:
    answers = LargeAnswers(2 * LARGE)
    async with askers(answers, LARGE, 2 * LARGE, LARGE) as (first, leaving, last):
        assert not last.admitted
        await leaving.leave()
        await settle(last.task)
        assert last.admitted
        await first.leave()
        async with askers(answers, LARGE) as (another,):
            assert another.admitted


@in_loop
async def test_room_that_is_granted_to_a_cancelled_waiter_is_not_lost() -> None:
    answers = LargeAnswers(LARGE)
    async with askers(answers, LARGE, LARGE, LARGE) as (first, leaving, last):
        first.go_on.set()
        await first.task  # admits the second, which is cancelled before it runs
        await leaving.leave()
        await settle(last.task)
        assert last.admitted


@in_loop
async def test_a_waiter_that_is_cancelled_as_room_is_given_back_is_passed_over() -> None:
    answers = LargeAnswers(2 * LARGE)
    async with askers(answers, 2 * LARGE, LARGE, LARGE) as (first, leaving, third):
        first.go_on.set()  # it has its turn before the one who leaves
        await leaving.leave()
        await first.end()
        await settle(third.task)
        assert third.admitted


@in_loop
async def test_waiting_for_room_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0)
    answers = LargeAnswers(LARGE)
    async with askers(answers, LARGE):
        with pytest.raises(QueueFullError, match=f"could not take {LARGE} numbers more within 0 s"):
            async with answers.admitted(LARGE, 1):
                pass
    assert answers.waiting == 0


@in_loop
async def test_an_answer_keeps_its_room_until_it_was_sent() -> None:
    answers = LargeAnswers(LARGE)
    with sending():
        async with answers.admitted(LARGE, 1):
            pass
        async with askers(answers, LARGE) as (other,):
            assert not other.admitted
    async with askers(answers, LARGE) as (other,):
        assert other.admitted


@in_loop
async def test_room_taken_once_its_answer_is_gone_is_given_back_at_once() -> None:
    answers = LargeAnswers(LARGE)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def late() -> None:
        await go_on.wait()
        async with answers.admitted(LARGE, 1):
            begun.set()

    with sending():
        task = asyncio.create_task(late())  # it knows of the sending, and outlives it
    go_on.set()
    await task
    async with askers(answers, LARGE) as (other,):
        assert begun.is_set()
        assert other.admitted
