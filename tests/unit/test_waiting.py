"""How what waits is cut into runs."""

import asyncio

import pytest

from encoderfile.service.waiting import Request, Waiting
from support.fakes import name_of, text
from support.loop import in_loop


def waiting_for(*lengths: int, row_length: int | None = None) -> Waiting:
    """One request whose texts are named by their places and have these lengths."""
    waiting = Waiting(row_length)
    request = Request(asyncio.get_running_loop().create_future(), [], len(lengths), 0.0)
    waiting.add(request, [text(name, length) for name, length in enumerate(lengths)])
    return waiting


def take(waiting: Waiting, most_tokens: int, run_cost: int) -> list[int]:
    places = waiting.next_run(most_tokens, run_cost)
    assert places is not None
    return sorted(name_of(entry.text) for entry in waiting.take(places))


@pytest.mark.parametrize(
    ("lengths", "budget", "cost", "together"),
    [
        ((10, 4, 11, 30), 22, 32, [0, 2]),
        ((10, 9, 12), 24, 32, [0, 2]),
        ((10, 10, 4), 20, 32, [0, 1]),
        ((10, 30, 9), 1000, 40, [0, 1]),
        ((10, 30, 9), 1000, 41, [0, 1, 2]),
        ((10, 30, 9), 1000, 19, [0, 2]),
        ((10, 9, 90, 95), 1000, 4, [0, 1]),
        ((10, 10, 11), 1000, 0, [0, 1]),
        ((10, 40), 1000, 1000, [0, 1]),
    ],
)
@in_loop
async def test_runs_are_cut_from_the_longest_text_down_while_padding_costs_less_than_a_run(
    lengths: tuple[int, ...], budget: int, cost: int, together: list[int]
) -> None:
    assert take(waiting_for(*lengths), budget, cost) == together


@pytest.mark.parametrize("most", [0, 1, 5])
@in_loop
async def test_a_text_above_the_budget_is_a_run_of_its_own(most: int) -> None:
    waiting = waiting_for(9, 9, 8)
    assert [take(waiting, most, 100) for _ in range(3)] == [[0], [1], [2]]
    assert waiting.next_run(most, 100) is None


@in_loop
async def test_looking_for_a_run_takes_nothing_and_passes_no_turn() -> None:
    waiting = waiting_for(5, 5)
    assert waiting.next_run(5, 0) == waiting.next_run(5, 0) == range(1)
    assert len(waiting) == 2


@in_loop
async def test_tokens_that_wait_are_counted_with_the_length_of_their_rows() -> None:
    waiting = waiting_for(5, 3, 2)
    assert waiting.tokens == 10
    take(waiting, 5, 0)
    assert waiting.tokens == 5
    (request,) = waiting.requests
    waiting.drop(request)
    assert (waiting.tokens, len(waiting)) == (0, 0)
    assert waiting_for(5, 3, 2, row_length=16).tokens == 48
