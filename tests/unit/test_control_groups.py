"""Quotas and limits of control groups: v2, v1 and hybrid, in and out of containers, wherever they are mounted."""

from pathlib import Path

import pytest

from encoderfile import control_groups
from encoderfile.control_groups import cpu_quotas, memory_left


class System:
    """What the kernel says of this process's groups and of the mounts, and folders in place of the mounts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.own, self.mounts = folder / "own", folder / "mounts"
        self.own.touch()
        self.mounts.write_text("22 1 0:20 / /proc rw,nosuid shared:5 - proc proc rw\n")

    def in_groups(self, *lines: str) -> None:
        self.own.write_text("".join(f"{line}\n" for line in lines))

    def mount(self, name: str, kind: str = "cgroup2", options: str = "rw,nsdelegate", root: str = "/") -> Path:
        point = self.folder / name
        point.mkdir(parents=True, exist_ok=True)
        escaped = str(point).replace("\\", "\\134").replace(" ", "\\040").replace("\n", "\\012")
        with self.mounts.open("a") as file:
            file.write(f"31 23 0:28 {root} {escaped} rw,nosuid shared:9 master:1 - {kind} cgroup {options}\n")
        return point


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> System:
    system = System(tmp_path)
    monkeypatch.setattr(control_groups, "OWN_GROUPS", system.own)
    monkeypatch.setattr(control_groups, "MOUNTS", system.mounts)
    return system


def write(group: Path, files: dict[str, str]) -> None:
    group.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (group / name).write_text(f"{text}\n")


def memory(group: Path, limit: str, used: int = 0, idle: int = 0) -> None:
    stat = f"anon 5\ninactive_file {idle}\nactive_file 7"
    write(group, {"memory.max": limit, "memory.current": f"{used}", "memory.stat": stat})


def memory_v1(group: Path, limit: int, used: int = 0, stat: str = "cache 9") -> None:
    numbers = {"memory.limit_in_bytes": f"{limit}", "memory.usage_in_bytes": f"{used}"}
    write(group, {**numbers, "memory.stat": stat})


def quota(group: Path, text: str) -> None:
    write(group, {"cpu.max": text})


def quota_v1(group: Path, quota: int | str, period: int | str = 100000) -> None:
    write(group, {"cpu.cfs_quota_us": f"{quota}", "cpu.cfs_period_us": f"{period}"})


def test_v2_limits_of_a_group_and_of_every_group_around_it_count(system: System) -> None:
    root = system.mount("fs")
    system.in_groups("0::/a.slice/b.service")
    quota(root / "a.slice/b.service", "max 100000")
    quota(root / "a.slice", "150000 100000")
    memory(root / "a.slice/b.service", "1000", 600, 100)
    memory(root / "a.slice", "max", 5)
    memory(root, "2000", 700)
    memory(root / "c.slice", "1")
    memory(system.folder, "1")
    assert list(cpu_quotas()) == [(150000, 100000)]
    assert list(memory_left()) == [500, 1300]


def test_v1_limits_of_a_group_and_of_every_group_around_it_count(system: System) -> None:
    cpu = system.mount("cpu,cpuacct", "cgroup", "rw,cpu,cpuacct")
    held = system.mount("memory", "cgroup", "rw,memory")
    system.in_groups("11:memory:/pods/one", "4:cpu,cpuacct:/docker/1f", "1:name=systemd:/init.scope")
    quota_v1(cpu / "docker/1f", 50000, 20000)
    quota_v1(cpu / "docker", -1)
    quota_v1(cpu, 200000)
    quota_v1(cpu / "pods/one", 1)
    memory_v1(held / "pods/one", 1000, 600, "inactive_file 3\ntotal_inactive_file 100")
    memory_v1(held / "pods", 2000, 500, "inactive_file 30")
    memory_v1(held, 4000, 0)
    assert list(cpu_quotas()) == [(50000, 20000), (200000, 100000)]
    assert list(memory_left()) == [500, 1530, 4000]


@pytest.mark.parametrize("number", [9223372036854771712, 9223372036854710272, 2**63 - 1, 2**64 - 1])
def test_the_largest_number_is_no_limit_in_v1(system: System, number: int) -> None:
    """Of pages of 4 and 64 KiB, and of Linux 3.10."""
    memory_v1(system.mount("memory", "cgroup", "rw,memory"), number, 600)
    system.in_groups("2:memory:/")
    assert list(memory_left()) == []


def test_a_group_over_its_limit_has_nothing_left(system: System) -> None:
    memory(system.mount("fs"), "100", 300)
    memory_v1(system.mount("memory", "cgroup", "rw,memory"), 100, 300)
    assert list(memory_left()) == [0, 0]


def test_a_hybrid_system_has_its_controllers_in_v1(system: System) -> None:
    """As systemd mounts it: v2 has the groups, and no file of a controller is in them."""
    write(system.mount("fs/unified") / "user.slice", {"cgroup.procs": "1"})
    quota_v1(system.mount("fs/cpu", "cgroup", "rw,cpu") / "user.slice", 100000)
    memory_v1(system.mount("fs/memory", "cgroup", "rw,memory") / "user.slice", 1000)
    system.in_groups("3:cpu:/user.slice", "2:memory:/user.slice", "0::/user.slice")
    assert list(cpu_quotas()) == [(100000, 100000)]
    assert list(memory_left()) == [1000]


def test_a_hybrid_system_may_have_one_controller_in_v2(system: System) -> None:
    memory(system.mount("fs/unified") / "a", "700", 200)
    quota_v1(system.mount("fs/cpu", "cgroup", "rw,cpu") / "b", 100000)
    system.in_groups("3:cpu:/b", "0::/a")
    assert list(cpu_quotas()) == [(100000, 100000)]
    assert list(memory_left()) == [500]


@pytest.mark.parametrize("own", ["/docker/1f", "/docker/1f/worker"])
def test_in_a_container_the_mounted_group_is_the_top(system: System, own: str) -> None:
    """Without a namespace of its own, a container reads paths of the host, whose groups it does not have."""
    cpu = system.mount("fs/cpu", "cgroup", "rw,cpu", root="/docker/1f")
    system.in_groups(f"3:cpu:{own}", f"0::{own}")
    quota_v1(cpu, 300000)
    quota_v1(cpu / "worker", 200000)
    memory(system.mount("fs/unified", root="/docker/1f"), "700", 200)
    expected = [(300000, 100000)] if own == "/docker/1f" else [(200000, 100000), (300000, 100000)]
    assert list(cpu_quotas()) == expected
    assert list(memory_left()) == [500]


def test_a_mount_of_another_group_says_nothing_about_this_one(system: System) -> None:
    """A name that begins alike is another group too."""
    for number, root in enumerate(["/docker", "/docker/2a", "/docker/1f0"]):
        point = system.mount(f"at{number}", "cgroup", "rw,cpu", root=root)
        quota_v1(point, 100000 * (number + 1))
        quota_v1(point / "1f", 900000)
    system.in_groups("3:cpu:/docker/1f")
    assert list(cpu_quotas()) == [(900000, 100000), (100000, 100000)]


@pytest.mark.parametrize("line", ["0::/../../other", "3:cpu:/x", "", "nonsense", "0::/gone/away"])
def test_a_group_outside_what_is_mounted_counts_as_what_is(system: System, line: str) -> None:
    root = system.mount("fs")
    memory(root, "700", 200)
    memory(root / "a.slice", "1", 0)
    memory(system.folder / "other", "1", 0)
    system.in_groups(line)
    assert list(memory_left()) == [500]


@pytest.mark.parametrize("root", ["/kubepods/pod1", "/.."])
def test_a_path_that_no_mount_has_counts_as_what_is_mounted(system: System, root: str) -> None:
    """A namespace of groups that is newer or older than the mount."""
    quota_v1(system.mount("fs/cpu", "cgroup", "rw,cpu", root=root), 200000)
    system.in_groups("3:cpu:/")
    assert list(cpu_quotas()) == [(200000, 100000)]


@pytest.mark.parametrize(
    "name", ["a place with spaces", "back\\slash", "line\nend", "ünï\u2028code\xa0", "x - cgroup y"]
)
def test_the_groups_may_be_mounted_anywhere(system: System, name: str) -> None:
    quota_v1(system.mount(f"{name}/v1", "cgroup", "rw,cpu") / "a", 100000)
    memory(system.mount(f"{name}/v2") / "a", "700")
    system.in_groups("3:cpu:/a", "0::/a")
    assert list(cpu_quotas()) == [(100000, 100000)]
    assert list(memory_left()) == [700]


@pytest.mark.parametrize("own", ["/a:b c", "/dev-disk\\x2d1.mount", "/\xa0ü"])
def test_groups_may_have_any_name(system: System, own: str) -> None:
    """They are escaped in the list of mounts only."""
    escaped = own.replace("\\", "\\134").replace(" ", "\\040")
    quota_v1(system.mount("fs/cpu", "cgroup", "rw,cpu", root=escaped), 100000)
    quota(system.mount("fs/unified") / own.strip("/"), "200000 100000")
    system.in_groups(f"3:cpu:{own}", f"0::{own}")
    assert list(cpu_quotas()) == [(100000, 100000), (200000, 100000)]


def test_names_that_are_not_utf_8_are_found(system: System) -> None:
    quota(system.mount("fs") / "b\udcff", "200000 100000")
    system.own.write_bytes(b"3:cpuacct:/a\xff\n0::/b\xff\n")
    assert list(cpu_quotas()) == [(200000, 100000)]


@pytest.mark.parametrize(
    ("kind", "options"), [("cgroup", "rw,cpuacct,cpuset"), ("cgroup", "rw,name=cpu"), ("tmpfs", "cpu")]
)
def test_other_mounts_are_not_read(system: System, kind: str, options: str) -> None:
    quota_v1(system.mount("fs", kind, options), 100000)
    system.in_groups("3:cpu:/")
    assert list(cpu_quotas()) == []


@pytest.mark.parametrize(
    "text", ["", "nonsense", "max 100000", "300000", "300000 0", "3 1 9", "-1 100000", "0 100000"]
)
def test_a_quota_that_is_none_limits_nothing(system: System, text: str) -> None:
    quota(system.mount("fs"), text)
    assert list(cpu_quotas()) == []


@pytest.mark.parametrize(("amount", "period"), [(-1, 100000), (100000, 0), ("", 100000), (100000, "x"), (0, 100000)])
def test_a_quota_that_is_none_limits_nothing_in_v1(system: System, amount: int | str, period: int | str) -> None:
    quota_v1(system.mount("fs", "cgroup", "rw,cpu"), amount, period)
    system.in_groups("1:cpu:/")
    assert list(cpu_quotas()) == []


@pytest.mark.parametrize("name", ["memory.limit_in_bytes", "memory.usage_in_bytes", "memory.stat"])
@pytest.mark.parametrize("text", [None, "", "nonsense"])
def test_what_cannot_be_read_limits_nothing(system: System, name: str, text: str | None) -> None:
    group = system.mount("memory", "cgroup", "rw,memory")
    system.in_groups("2:memory:/a")
    memory_v1(group, 900)
    memory_v1(group / "a", 500, 0, "total_inactive_file 0")
    (group / "a" / name).unlink()
    if text is None:
        (group / "a" / name).mkdir()  # root may read any file, but not a folder
    else:
        (group / "a" / name).write_text(text)
    assert list(memory_left()) == ([500, 900] if name == "memory.stat" and text == "" else [900])


def test_without_lists_of_groups_and_mounts_nothing_is_limited(system: System) -> None:
    root = system.mount("fs")
    memory(root, "700")
    system.own.unlink()
    assert list(memory_left()) == [700]
    system.mounts.write_text("cut short / - cgroup\n\n31 23 0:28 / /x rw - cgroup\n")
    assert list(memory_left()) == []
    system.mounts.unlink()
    assert list(memory_left()) == []
    assert list(cpu_quotas()) == []
