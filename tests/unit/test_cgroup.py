"""Limits of control groups: of the process's own group and of those around it."""

from pathlib import Path

import pytest

from encoderfile import cgroup
from encoderfile.model import memory
from encoderfile.settings import granted_cores


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hierarchy in which this process is in `/a.slice/b.service`."""
    own = tmp_path / "own"
    own.write_text("4:memory:/x\n0::/a.slice/b.service\n")
    monkeypatch.setattr(cgroup, "OWN", own)
    monkeypatch.setattr(cgroup, "ROOT", tmp_path / "root")
    (tmp_path / "root/a.slice/b.service").mkdir(parents=True)
    return tmp_path / "root"


def limit(group: Path, limit: str, used: int = 0, idle: int = 0) -> None:
    (group / "memory.max").write_text(f"{limit}\n")
    (group / "memory.current").write_text(f"{used}\n")
    (group / "memory.stat").write_text(f"anon 5\ninactive_file {idle}\nactive_file 7\n")


def test_what_a_group_leaves_counts_idle_pages_of_files(root: Path) -> None:
    limit(root / "a.slice/b.service", "1000", 600, 100)
    assert memory.available() == 500


def test_the_least_of_all_groups_around_holds(root: Path) -> None:
    limit(root / "a.slice/b.service", "max")
    limit(root / "a.slice", "800", 700)
    limit(root, "2000", 0)
    assert memory.available() == 100


def test_a_group_over_its_limit_has_nothing_left(root: Path) -> None:
    limit(root, "100", 300)
    assert memory.available() == 0


@pytest.mark.parametrize("text", ["max", "9223372036854771712", "nonsense"])
def test_without_a_lower_limit_it_is_what_the_machine_has(root: Path, text: str) -> None:
    limit(root, text)
    found = memory.available()
    assert found is not None
    assert 0 < found < 1 << 50


def test_a_system_that_says_nothing_has_no_known_limit(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "none")
    assert memory.available() is None


def test_a_quota_of_a_group_around_limits_the_cores(root: Path) -> None:
    (root / "a.slice/b.service/cpu.max").write_text("max 100000\n")
    assert granted_cores() >= 1
    (root / "a.slice/cpu.max").write_text("100000 100000\n")
    assert granted_cores() == 1


@pytest.mark.parametrize("line", ["0::/../../other", "3:cpu:/x", ""])
def test_a_group_outside_what_is_mounted_counts_as_the_root(root: Path, line: str) -> None:
    cgroup.OWN.write_text(f"{line}\n")
    limit(root, "700", 200)
    limit(root / "a.slice", "1", 0)
    assert memory.available() == 500
