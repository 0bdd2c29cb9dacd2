"""What this machine grants this process: cores and memory, as affinity and control groups (v2) limit them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUP = Path("/proc/self/cgroup")
MEMINFO = Path("/proc/meminfo")


def granted_cores() -> int:
    """Cores this process may really use: the least of affinity, physical cores and control group quotas."""
    allowed = os.sched_getaffinity(0)
    # Two hardware threads of a core share its arithmetic units, which is all that a graph needs.
    cores = len({_siblings(number) for number in allowed})
    for _, text in _limits("cpu.max"):
        try:
            quota, period = map(int, text.split())
        except ValueError:
            continue  # no quota, which is the word max
        cores = min(cores, max(1, quota // period)) if period else cores
    return cores


def available_memory() -> int | None:
    """Bytes: the least of what the machine and the control groups have left. None where neither says."""
    return min((*_left_by_machine(), *_left_by_cgroups()), default=None)


def _siblings(number: int) -> str:
    """The hardware threads of one core, as the kernel lists them; the number alone where it does not."""
    try:
        return Path(f"/sys/devices/system/cpu/cpu{number}/topology/thread_siblings_list").read_text()
    except OSError:
        return str(number)


def _left_by_machine() -> Iterator[int]:
    try:
        for line in MEMINFO.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                yield 1024 * int(line.split()[1])
    except (OSError, ValueError):
        return


def _left_by_cgroups() -> Iterator[int]:
    """What each limit leaves; pages of files that were not used lately are given up when needed."""
    for group, limit in _limits("memory.max"):
        try:
            used = int((group / "memory.current").read_text())
            stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
            yield max(0, int(limit) - used + int(stat["inactive_file"]))
        except (OSError, ValueError, KeyError):
            continue  # no limit, which is the word max, or nothing that can be read


def _limits(file: str) -> Iterator[tuple[Path, str]]:
    """The folder and the text of `file` for the group of this process and every group around it that has the file."""
    folder = CGROUPS / _own_cgroup()
    for group in (folder, *folder.parents):
        if not group.is_relative_to(CGROUPS):
            return
        try:
            yield group, (group / file).read_text().strip()
        except OSError:
            continue


def _own_cgroup() -> str:
    """This process's group below the root; the root where it is unknown or not mounted here."""
    try:
        path = next(line[3:] for line in OWN_CGROUP.read_text().splitlines() if line.startswith("0::"))
    except (OSError, StopIteration):
        return ""
    return "" if ".." in path else path.strip("/")
