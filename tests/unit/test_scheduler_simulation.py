"""The scheduler on 1 to 64 cores in simulated time, with all kinds of traffic; every step is checked."""

import random
from collections.abc import Callable

import pytest

from encoderfile.model.costs import assumed
from support.simulation import Client, Machine, simulate

CORES = (1, 2, 4, 8, 16, 32, 64)
LONG = 6000
"""Tokens of a text far above every budget of few cores, and above every instance's share."""

Length = Callable[[random.Random], int]


def short(rng: random.Random) -> int:
    return rng.randint(6, 16)


def mixed(rng: random.Random) -> int:
    return min(250, 6 + int(rng.expovariate(1 / 56)))


def equal(_: random.Random) -> int:
    return 64


def singles(clients: int, each: int, length: Length, begins_at: float = 0.0) -> list[Client]:
    """Clients that send one text a request."""
    rng = random.Random(f"{clients} {each} {begins_at}")
    return [Client([[length(rng)] for _ in range(each)], begins_at) for _ in range(clients)]


def batches(clients: int, each: int, texts: int, length: Length) -> list[Client]:
    """Clients that send many texts a request."""
    rng = random.Random(f"{clients} {each} {texts}")
    return [Client([[length(rng) for _ in range(texts)] for _ in range(each)]) for _ in range(clients)]


TRAFFIC = {
    "short texts of 32 clients": singles(32, 12, short),
    "mixed texts of 8 clients": singles(8, 24, mixed),
    "mixed texts of 32 clients": singles(32, 12, mixed),
    "mixed texts of 256 clients": singles(256, 3, mixed),
    "equal texts of 32 clients": singles(32, 12, equal),
    "requests of 64 mixed texts": batches(8, 2, 64, mixed),
    "one huge request and small ones": [*batches(1, 1, 600, mixed), *singles(8, 10, mixed)],
    "bursts": [client for second in range(4) for client in singles(48, 2, mixed, begins_at=0.3 * second)],
    "one text far above the budget and small ones": [Client([[LONG]] * 3), *singles(8, 20, mixed)],
}
MACHINES = {
    "a small model": (2e-3, 2e-4, 0.67),
    "a tiny model": (2e-4, 4e-6, 0.5),
    "a large model": (1e-2, 2e-3, 0.9),
    "threads that help fully": (2e-3, 2e-4, 1.0),
    "threads that do not help": (2e-3, 2e-4, 0.0),
}
"""Seconds of a run, seconds of a token on one thread, and how threads scale."""
EXTREMES = {"a tiny model", "threads that help fully"}
"""Where little or nothing is to be gained."""

each_traffic = pytest.mark.parametrize("traffic", TRAFFIC)
each_number_of_cores = pytest.mark.parametrize("cores", CORES)


def machine(kind: str, cores: int) -> Machine:
    return Machine(cores, *MACHINES[kind])


@pytest.mark.parametrize("kind", MACHINES)
@each_number_of_cores
@each_traffic
def test_several_instances_keep_every_promise_and_are_not_slower_than_one(
    traffic: str, cores: int, kind: str
) -> None:
    clients = TRAFFIC[traffic]
    reports = [simulate(machine(kind, cores), count, clients) for count in sorted({1, max(1, cores // 2), cores})]
    for report in reports:
        assert report.texts == sum(len(request) for client in clients for request in client.requests)
        assert [len(each) for each in report.latencies] == [len(client.requests) for client in clients]
        assert report.seconds <= reports[0].seconds * (1.03 if kind in EXTREMES else 1.0)


@each_number_of_cores
def test_several_instances_are_faster_where_mixed_texts_fill_them(cores: int) -> None:
    here, clients = machine("a small model", cores), TRAFFIC["mixed texts of 256 clients"]
    one, several = (simulate(here, instances, clients).seconds for instances in (1, cores))
    assert one / several >= (1.2 if cores > 1 else 1.0)


@each_number_of_cores
def test_a_client_alone_has_all_threads_for_each_text(cores: int) -> None:
    here, (client,) = machine("a small model", cores), singles(1, 30, mixed)
    report = simulate(here, cores, [client])
    assert all(run.all_threads for run in report.runs)
    wanted = [here.seconds(*request, threads=cores) for request in client.requests]
    assert report.latencies == [pytest.approx(wanted)]


@pytest.mark.parametrize("cores", CORES[1:])
def test_equal_texts_keep_every_core_busy_as_long_as_any_wait(cores: int) -> None:
    report = simulate(machine("a small model", cores), cores, singles(4 * cores, 12, equal))
    assert report.idle_while_waiting == 0
    assert not any(run.all_threads for run in report.runs[1:-cores])


@pytest.mark.parametrize("cores", CORES[1:])
def test_cores_are_idle_for_a_tenth_of_the_time_at_most_while_mixed_texts_wait(cores: int) -> None:
    for traffic in ("mixed texts of 32 clients", "mixed texts of 256 clients", "one huge request and small ones"):
        report = simulate(machine("a small model", cores), cores, TRAFFIC[traffic])
        assert report.idle_while_waiting <= 0.12 * report.seconds * cores


@pytest.mark.parametrize("cores", CORES)
def test_small_requests_wait_for_few_runs_beside_a_huge_one(cores: int) -> None:
    here = machine("a small model", cores)
    small = singles(8, 10, mixed)
    report = simulate(here, cores, [*batches(1, 1, 600, mixed), *small])
    (huge,), *others = report.latencies
    assert max(latency for each in others for latency in each) < huge
    assert huge == pytest.approx(report.seconds) or report.seconds > huge


@each_number_of_cores
def test_one_instance_that_assumes_its_costs_is_little_slower(cores: int) -> None:
    for kind in ("a small model", "a large model"):
        for traffic in ("mixed texts of 32 clients", "requests of 64 mixed texts", "short texts of 32 clients"):
            here = machine(kind, cores)
            known = simulate(here, 1, TRAFFIC[traffic])
            guessed = simulate(here, 1, TRAFFIC[traffic], run=assumed("cpu", cores).run)
            assert guessed.seconds <= known.seconds * (1.1 if cores <= 8 else 1.3)
