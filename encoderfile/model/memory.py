"""How much memory this process may still take."""

from __future__ import annotations

from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")
_MEMINFO = Path("/proc/meminfo")


def available() -> int | None:
    """Bytes: the least of what the machine and the control group have left. None where neither says."""
    found = [each for each in (_of_machine(), _of_group()) if each is not None]
    return min(found, default=None)


def _of_machine() -> int | None:
    try:
        lines = _MEMINFO.read_text().splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):
        return None


def _of_group() -> int | None:
    """What a cgroup v2 limit leaves; pages of files that were not used lately are given up when needed."""
    try:
        limit = (_CGROUP / "memory.max").read_text().strip()
        if limit == "max":
            return None
        used = int((_CGROUP / "memory.current").read_text())
        lines = (_CGROUP / "memory.stat").read_text().splitlines()
        idle = next(int(line.split()[1]) for line in lines if line.startswith("inactive_file "))
        return int(limit) - used + idle
    except (OSError, StopIteration, ValueError):
        return None
