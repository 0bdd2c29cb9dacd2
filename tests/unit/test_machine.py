"""What the machine grants: cores, and the limits of this process's control group and of those around it."""

import os
import re
from pathlib import Path

import pytest

from encoderfile import machine
from encoderfile.machine import available_memory, granted_cores


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hierarchy in which this process is in `/a.slice/b.service`."""
    own = tmp_path / "own"
    own.write_text("4:memory:/x\n0::/a.slice/b.service\n")
    monkeypatch.setattr(machine, "OWN_CGROUP", own)
    monkeypatch.setattr(machine, "CGROUPS", tmp_path / "root")
    (tmp_path / "root/a.slice/b.service").mkdir(parents=True)
    return tmp_path / "root"


def limit(group: Path, limit: str, used: int = 0, idle: int = 0) -> None:
    (group / "memory.max").write_text(f"{limit}\n")
    (group / "memory.current").write_text(f"{used}\n")
    (group / "memory.stat").write_text(f"anon 5\ninactive_file {idle}\nactive_file 7\n")


def test_what_a_group_leaves_counts_idle_pages_of_files(root: Path) -> None:
    limit(root / "a.slice/b.service", "1000", 600, 100)
    assert available_memory() == 500


def test_the_least_of_all_groups_around_holds(root: Path) -> None:
    limit(root / "a.slice/b.service", "max")
    limit(root / "a.slice", "800", 700)
    limit(root, "2000", 0)
    assert available_memory() == 100


def test_a_group_over_its_limit_has_nothing_left(root: Path) -> None:
    limit(root, "100", 300)
    assert available_memory() == 0


@pytest.mark.parametrize("text", ["max", "9223372036854771712", "nonsense"])
def test_without_a_lower_limit_it_is_what_the_machine_has(root: Path, text: str) -> None:
    limit(root, text)
    found = available_memory()
    assert found is not None
    assert 0 < found < 1 << 50


def test_a_system_that_says_nothing_has_no_known_limit(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "MEMINFO", tmp_path / "none")
    assert available_memory() is None


def test_a_quota_of_a_group_around_limits_the_cores(root: Path) -> None:
    (root / "a.slice/b.service/cpu.max").write_text("max 100000\n")
    assert granted_cores() >= 1
    (root / "a.slice/cpu.max").write_text("100000 100000\n")
    assert granted_cores() == 1


@pytest.mark.parametrize("line", ["0::/../../other", "3:cpu:/x", ""])
def test_a_group_outside_what_is_mounted_counts_as_the_root(root: Path, line: str) -> None:
    machine.OWN_CGROUP.write_text(f"{line}\n")
    limit(root, "700", 200)
    limit(root / "a.slice", "1", 0)
    assert available_memory() == 500


def cores(monkeypatch: pytest.MonkeyPatch, affinity: int, quota: str | OSError, threads_a_core: int = 1) -> int:
    def read_text(path: Path, *_: object, **__: object) -> str:
        found = re.fullmatch(r"/sys/devices/system/cpu/cpu(\d+)/topology/thread_siblings_list", str(path))
        if found is not None:
            return f"those of core {int(found[1]) // threads_a_core}\n"
        if str(path) == "/proc/self/cgroup":
            return "0::/\n"
        assert str(path) == "/sys/fs/cgroup/cpu.max"
        if isinstance(quota, OSError):
            raise quota
        return quota

    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(affinity)))
    monkeypatch.setattr(Path, "read_text", read_text)
    return granted_cores()


@pytest.mark.parametrize(
    ("affinity", "quota", "granted"),
    [
        (8, "max 100000\n", 8),
        (8, "200000 100000\n", 2),
        (8, "150000 100000\n", 1),
        (8, "50000 100000\n", 1),
        (2, "800000 100000\n", 2),
        (8, "", 8),
        (8, "nonsense", 8),
        (8, "300000 0 9", 8),
        (4, FileNotFoundError(), 4),
        (4, PermissionError(), 4),
    ],
    ids=repr,
)
def test_the_least_of_affinity_and_quota_is_granted(
    monkeypatch: pytest.MonkeyPatch, affinity: int, quota: str | OSError, granted: int
) -> None:
    assert cores(monkeypatch, affinity, quota) == granted


def test_two_hardware_threads_of_a_core_count_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cores(monkeypatch, 8, "max 100000\n", threads_a_core=2) == 4
    assert cores(monkeypatch, 7, "max 100000\n", threads_a_core=2) == 4
