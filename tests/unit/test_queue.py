"""The queue: items by length, turns by request."""

import asyncio
import random

import pytest

from encoderfile.service.queue import Queue, Request

Texts = Queue[str, None]
"""Strings are items too: all that is asked of one is its length."""


def request(queue: Texts, *items: str) -> Request[str, None]:
    """A request whose items wait in `queue`."""
    loop = asyncio.new_event_loop()
    made: Request[str, None] = Request(loop.create_future(), [], len(items), 0.0)
    loop.close()
    queue.add(made, items)
    return made


def lengths(queue: Texts) -> list[int]:
    return list(queue.waiting.lengths) if queue.waiting else []


def turn(queue: Texts) -> str:
    """The item whose turn it is."""
    assert queue.waiting is not None
    place = queue.waiting.turn
    return queue.take(range(place, place + 1))[0].item


@pytest.mark.parametrize("count", [10, 200])
def test_items_are_ordered_by_length_and_then_by_arrival(count: int) -> None:
    queue, rng = Texts(None), random.Random(count)
    items = [letter * rng.randint(1, 9) for letter in (chr(97 + number % 26) for number in range(count))]
    request(queue, *items[: count // 3])
    request(queue, *items[count // 3 :])
    assert lengths(queue) == sorted(map(len, items))
    assert [entry.item for entry in queue.take(range(count))] == sorted(items, key=len)


def test_the_requests_take_turns() -> None:
    queue = Texts(None)
    request(queue, "a", "aa", "aaa")
    request(queue, "b", "bb")
    assert [turn(queue) for _ in range(5)] == ["a", "b", "aa", "bb", "aaa"]
    assert queue.waiting is None


def test_the_turn_is_with_the_one_of_many_equal_items_that_came_first() -> None:
    queue = Texts(None)
    request(queue, "a", "b")
    request(queue, "c")
    assert [turn(queue) for _ in range(3)] == ["a", "c", "b"]


def test_looking_takes_nothing_and_passes_no_turn() -> None:
    queue = Texts(None)
    request(queue, "a", "bbb")
    assert queue.waiting == queue.waiting
    assert len(queue) == 2


def test_tokens_that_wait_are_counted_with_the_length_of_their_rows() -> None:
    queue = Texts(None)
    made = request(queue, "aaaaa", "aaa", "aa")
    assert queue.waiting is not None
    assert queue.waiting.tokens == 10
    queue.take(range(2, 3))
    assert queue.waiting.tokens == 5
    assert queue.requests == {made}
    queue.drop(made)
    assert (queue.waiting, len(queue), queue.requests) == (None, 0, set())
    padded = Texts(row_length=16)
    request(padded, "aaaaa", "aaa", "aa")
    assert padded.waiting is not None
    assert padded.waiting.tokens == 48


def test_what_was_dropped_has_no_turn() -> None:
    queue = Texts(None)
    left = request(queue, "a", "aa")
    request(queue, "b", "bb")
    queue.drop(left)
    assert lengths(queue) == [1, 2]
    assert [turn(queue) for _ in range(2)] == ["b", "bb"]
