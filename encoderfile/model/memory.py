"""How much memory this process may still take."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from encoderfile import cgroup

_MEMINFO = Path("/proc/meminfo")


def available() -> int | None:
    """Bytes: the least of what the machine and the control groups (v2) have left. None where neither says."""
    return min((*_of_machine(), *_of_groups()), default=None)


def _of_machine() -> Iterator[int]:
    try:
        for line in _MEMINFO.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                yield 1024 * int(line.split()[1])
    except (OSError, ValueError):
        return


def _of_groups() -> Iterator[int]:
    """What each limit leaves; pages of files that were not used lately are given up when needed."""
    for group, limit in cgroup.found("memory.max"):
        try:
            used = int((group / "memory.current").read_text())
            stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
            yield max(0, int(limit) - used + int(stat["inactive_file"]))
        except (OSError, ValueError, KeyError):
            continue  # no limit, which is the word max, or nothing that can be read
