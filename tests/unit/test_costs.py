"""What runs cost: assumed, and timed on machines whose costs are known."""

import math
from collections.abc import Callable

import pytest

from encoderfile.model.costs import Costs, Shape, assumed, timed


def machine(fixed: float, token: float) -> Callable[[Shape], float]:
    """Runs that take `fixed` seconds and `token` for each token; the first of a shape takes twice as long."""
    seen: set[Shape] = set()

    def seconds(shape: Shape) -> float:
        first, tokens = shape not in seen, math.prod(shape)
        seen.add(shape)
        return (fixed + token * tokens) * (1 + first)

    return seconds


@pytest.mark.parametrize("lengths", [range(1, 513), range(1, 9), range(16, 17), range(512, 513)])
@pytest.mark.parametrize("threads", [2, 8, 64])
def test_costs_of_a_run_are_found_to_the_next_power_of_two(threads: int, lengths: range) -> None:
    found = timed(machine(1.6, 0.1), machine(2.0, 0.5), threads, lengths)
    assert found.run == 16
    assert found.one_thread_run == 4
    assert found.speedup == pytest.approx(min(threads, 5.0))


def test_a_noisy_moment_leaves_costs_within_reason() -> None:
    for short, long in ((9.0, 1.0), (0.0, 1.0), (1.0, 1.0)):
        found = timed(lambda shape, pair=(short, long): pair[shape[0] > 1], machine(1.0, 0.1), 4, range(1, 513))
        assert 1 <= found.run <= 128
        assert 1.0 <= found.speedup <= 4.0


def test_timing_takes_eight_runs_of_a_few_tokens() -> None:
    shapes: list[Shape] = []

    def seconds(shape: Shape) -> float:
        shapes.append(shape)
        return 1.0

    timed(seconds, seconds, 64, range(1, 513))
    assert len(shapes) == 8
    assert max(map(math.prod, shapes)) == 256
    shapes.clear()
    timed(seconds, seconds, 2, range(1, 9))
    assert max(shapes) == (8, 8), "no row is longer than the model reads"


def test_threads_are_taken_to_help_by_the_square_root_of_their_number() -> None:
    assert assumed("cpu", 1) == Costs(16, 16, 1.0)
    assert assumed("cpu", 4) == Costs(32, 16, 2.0)
    assert assumed("cuda", 4).run == 512
