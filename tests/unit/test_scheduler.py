"""Which items run next: how runs are cut, and when several go at the same time."""

from collections.abc import Sequence

import pytest

from encoderfile.model.costs import Costs
from encoderfile.service.scheduler import Choice, Plan, Run, Waiting, choose

THREE = Plan(max_tokens=3000, max_run_tokens=1000, costs=Costs(16, 4, 2.0), instances=3)


def waiting(*lengths: int, first: int = 0) -> Waiting:
    """Items of these lengths, of which the one at the place `first` of the arguments has the turn."""
    order = sorted(range(len(lengths)), key=lambda place: lengths[place])
    return Waiting([lengths[place] for place in order], sum(lengths), order.index(first))


def chosen(lengths: Sequence[int], running: Sequence[Run] = (), plan: Plan = THREE) -> tuple[list[int], bool] | None:
    """The lengths of the items of the next run, and whether it has all threads."""
    given = waiting(*lengths)
    choice = choose(given, running, plan)
    return choice and ([given.lengths[place] for place in choice.places], choice.run.all_threads)


@pytest.mark.parametrize(
    ("lengths", "budget", "cost", "together"),
    [
        ((10, 4, 11, 30), 22, 32, [10, 11]),
        ((10, 9, 12), 24, 32, [10, 12]),
        ((10, 10, 4), 20, 32, [10, 10]),
        ((10, 30, 9), 1000, 40, [10, 30]),
        ((10, 30, 9), 1000, 19, [9, 10]),
        ((10, 30, 9), 1000, 41, [9, 10, 30]),
        ((10, 9, 90, 95), 1000, 4, [9, 10]),
        ((10, 10, 11), 1000, 0, [10, 10]),
        ((10, 40), 1000, 1000, [10, 40]),
        ((9, 9, 8), 0, 100, [9]),
        ((9, 9, 8), 5, 100, [9]),
    ],
)
def test_runs_are_cut_from_the_longest_item_down_while_padding_costs_less_than_a_run(
    lengths: tuple[int, ...], budget: int, cost: int, together: list[int]
) -> None:
    assert chosen(lengths, plan=Plan(budget, budget, Costs(cost, 0, 1.0))) == (together, True)


def test_a_choice_names_places_and_padded_tokens() -> None:
    choice = choose(waiting(10, 9, 90), (), Plan(1000, 1000, Costs(4, 0, 1.0)))
    assert choice == Choice(range(2), Run(tokens=20, all_threads=True))


def test_an_item_alone_has_all_threads_even_where_they_are_no_faster() -> None:
    for speedup in (1.0, 3.0):
        plan = Plan(3000, 1000, Costs(16, 4, speedup), instances=3)
        assert chosen([10], plan=plan) == ([10], True)


def test_items_that_fill_the_instances_have_a_thread_each() -> None:
    assert chosen([10, 10, 10]) == ([10], False)
    assert chosen([10] * 9) == ([10, 10, 10], False), "a third of them, so that all instances have some"


@pytest.mark.parametrize(
    ("running", "starts"),
    [
        ([Run(10, True)], False),
        ([Run(10, False)] * 3, True),
        ([Run(10, False)] * 4, False),
    ],
)
def test_one_run_more_than_there_are_instances_may_start_and_none_while_one_has_all_threads(
    running: list[Run], starts: bool
) -> None:
    assert (chosen([10] * 9, running) is not None) == starts


def test_an_item_that_one_thread_would_take_longer_for_than_all_for_everything_waits_until_it_may_have_all() -> None:
    assert chosen([100, 10, 10], [Run(20, False)]) is None
    assert chosen([100, 10, 10]) == ([100], True)
    assert chosen([10, 100, 10]) == ([10, 10], True), "on one thread each they would hold the long one up"
    assert chosen([100, 10, 10], [Run(80, False)]) == ([100], False), "by now there is as much beside it"


def test_an_item_larger_than_its_share_of_memory_has_all_threads() -> None:
    assert chosen([1000] * 9) == ([1000], False)
    assert chosen([1001] * 9) == ([1001], True)
    assert chosen([1001] * 9, [Run(500, False)]) is None


def test_few_instances_that_are_slower_than_all_threads_are_not_used() -> None:
    costs = Costs(16, 4, 5.0)
    assert chosen([10] * 99, plan=Plan(3000, 1000, costs, instances=4)) == ([10] * 99, True)
    assert chosen([10] * 99, plan=Plan(3000, 1000, costs, instances=5)) == ([10] * 19, False)
