"""What the machine grants: the least of what its processors, its memory and its control groups have."""

import os
from pathlib import Path

import pytest

from encoderfile import machine
from encoderfile.machine import available_memory, granted_cores


@pytest.fixture
def processors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(machine, "PROCESSORS", tmp_path)
    return tmp_path


def groups(monkeypatch: pytest.MonkeyPatch, quotas: list[tuple[int, int]], left: list[int]) -> None:
    monkeypatch.setattr(machine, "cpu_quotas", lambda: iter(quotas))
    monkeypatch.setattr(machine, "memory_left", lambda: iter(left))


@pytest.mark.parametrize(
    ("affinity", "quotas", "granted"),
    [
        (8, [], 8),
        (8, [(200000, 100000)], 2),
        (8, [(150000, 100000)], 1),
        (8, [(50000, 100000)], 1),
        (2, [(800000, 100000)], 2),
        (8, [(800000, 100000), (300000, 100000), (500000, 100000)], 3),
    ],
)
def test_the_least_of_affinity_and_quotas_is_granted(
    processors: Path, monkeypatch: pytest.MonkeyPatch, affinity: int, quotas: list[tuple[int, int]], granted: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(affinity)))
    groups(monkeypatch, quotas, [])
    assert granted_cores() == granted


@pytest.mark.parametrize("affinity", [7, 8])
def test_two_hardware_threads_of_a_core_count_once(
    processors: Path, monkeypatch: pytest.MonkeyPatch, affinity: int
) -> None:
    for number in range(8):
        topology = processors / f"cpu{number}/topology"
        topology.mkdir(parents=True)
        (topology / "thread_siblings_list").write_text(f"{number // 2 * 2}-{number // 2 * 2 + 1}\n")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(affinity)))
    groups(monkeypatch, [], [])
    assert granted_cores() == 4


def test_the_least_of_machine_and_groups_is_available(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "MEMINFO", tmp_path / "meminfo")
    (tmp_path / "meminfo").write_text("MemTotal:  9 kB\nMemAvailable:   3 kB\n")
    groups(monkeypatch, [], [5000, 4000])
    assert available_memory() == 3072
    groups(monkeypatch, [], [5000, 400])
    assert available_memory() == 400


@pytest.mark.parametrize("text", [None, "", "MemAvailable: nonsense kB\n", "MemTotal: 9 kB\n"])
def test_a_system_that_says_nothing_has_no_known_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None
) -> None:
    monkeypatch.setattr(machine, "MEMINFO", tmp_path / "meminfo")
    if text is not None:
        (tmp_path / "meminfo").write_text(text)
    groups(monkeypatch, [], [])
    assert available_memory() is None


def test_this_machine_has_something_to_grant() -> None:
    assert granted_cores() >= 1
    free = available_memory()
    assert free is not None
    assert 0 < free < 1 << 50
