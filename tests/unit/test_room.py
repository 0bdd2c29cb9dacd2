"""Room for large answers: bounded together, in turn, given back whatever happens."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from encoderfile.errors import QueueFullError
from encoderfile.service import room as module
from encoderfile.service.room import LARGE, Room, sending
from support.loop import in_loop, settle


class Asker:
    """One who takes room for an answer and keeps it until told to go on."""

    def __init__(self, room: Room, values: int) -> None:
        self.has_room = False
        self.go_on = asyncio.Event()
        self.task = asyncio.create_task(self._ask(room, values))

    async def _ask(self, room: Room, values: int) -> None:
        async with room.taken(values, 1):
            self.has_room = True
            await self.go_on.wait()

    async def end(self) -> None:
        self.go_on.set()
        await self.task

    async def leave(self) -> None:
        self.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await self.task


@asynccontextmanager
async def askers(room: Room, *values: int) -> AsyncIterator[list[Asker]]:
    found = [Asker(room, each) for each in values]
    await settle(*(each.task for each in found))
    try:
        yield found
    finally:
        for each in found:
            each.task.cancel()
        await asyncio.gather(*(each.task for each in found), return_exceptions=True)


@in_loop
async def test_large_answers_take_turns_for_room() -> None:
    room = Room(3 * LARGE)
    async with askers(room, 2 * LARGE, 2 * LARGE, LARGE) as (first, second, third):
        assert [each.has_room for each in (first, second, third)] == [True, False, False]
        assert room.waiting == 2
        await first.end()
        await settle(second.task, third.task)
        assert second.has_room
        assert third.has_room
        assert room.waiting == 0


@in_loop
async def test_small_answers_never_wait() -> None:
    room = Room(LARGE)
    async with askers(room, LARGE, LARGE, LARGE - 1) as (_, large, small):
        assert not large.has_room
        assert small.has_room


@in_loop
async def test_an_answer_larger_than_the_room_goes_alone() -> None:
    room = Room(LARGE)
    async with askers(room, 5 * LARGE, LARGE) as (huge, other):
        assert huge.has_room
        assert not other.has_room
        await huge.end()
        await settle(other.task)
        assert other.has_room


@in_loop
async def test_without_a_bound_nobody_waits() -> None:
    async with askers(Room(None), LARGE, 100 * LARGE) as found:
        assert all(each.has_room for each in found)


@in_loop
async def test_who_leaves_gives_his_place_to_the_next() -> None:
    room = Room(2 * LARGE)
    async with askers(room, LARGE, 2 * LARGE, LARGE) as (first, leaving, last):
        assert not last.has_room
        await leaving.leave()
        await settle(last.task)
        assert last.has_room
        await first.leave()
        async with askers(room, LARGE) as (another,):
            assert another.has_room


@in_loop
async def test_room_that_is_granted_to_somebody_who_leaves_is_not_lost() -> None:
    room = Room(LARGE)
    async with askers(room, LARGE, LARGE, LARGE) as (first, leaving, last):
        first.go_on.set()
        await first.task  # grants the room to the second, who is cancelled before he runs
        await leaving.leave()
        await settle(last.task)
        assert last.has_room


@in_loop
async def test_who_leaves_at_the_moment_that_room_is_given_back_is_passed_over() -> None:
    room = Room(2 * LARGE)
    async with askers(room, 2 * LARGE, LARGE, LARGE) as (first, leaving, third):
        first.go_on.set()  # it has its turn before the one who leaves
        await leaving.leave()
        await first.end()
        await settle(third.task)
        assert third.has_room


@in_loop
async def test_waiting_for_room_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0)
    room = Room(LARGE)
    async with askers(room, LARGE):
        with pytest.raises(QueueFullError, match=f"had no room for {LARGE} numbers within 0 s"):
            async with room.taken(LARGE, 1):
                pass
    assert room.waiting == 0


@in_loop
async def test_an_answer_keeps_its_room_until_it_was_sent() -> None:
    room = Room(LARGE)
    with sending():
        async with room.taken(LARGE, 1):
            pass
        async with askers(room, LARGE) as (other,):
            assert not other.has_room
    async with askers(room, LARGE) as (other,):
        assert other.has_room


@in_loop
async def test_room_taken_once_its_answer_is_gone_is_given_back_at_once() -> None:
    room = Room(LARGE)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def late() -> None:
        await go_on.wait()
        async with room.taken(LARGE, 1):
            begun.set()

    with sending():
        task = asyncio.create_task(late())  # it knows of the sending, and outlives it
    go_on.set()
    await task
    async with askers(room, LARGE) as (other,):
        assert begun.is_set()
        assert other.has_room
