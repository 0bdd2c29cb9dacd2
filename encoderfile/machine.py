"""What this machine grants this process: cores and memory, as affinity and control groups limit them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from encoderfile.control_groups import cpu_quotas, memory_left

PROCESSORS = Path("/sys/devices/system/cpu")
MEMINFO = Path("/proc/meminfo")


def granted_cores() -> int:
    """Cores this process may really use: the least of affinity, physical cores and control group quotas."""
    allowed = os.sched_getaffinity(0)
    # Two hardware threads of a core share its arithmetic units, which is all that a graph needs.
    cores = len({_siblings(number) for number in allowed})
    return min((cores, *(max(1, quota // period) for quota, period in cpu_quotas())))


def available_memory() -> int | None:
    """Bytes: the least of what the machine and the control groups have left. None where neither says."""
    return min((*_left_by_machine(), *memory_left()), default=None)


def _siblings(number: int) -> str:
    """The hardware threads of one core, as the kernel lists them; the number alone where it does not."""
    try:
        return (PROCESSORS / f"cpu{number}/topology/thread_siblings_list").read_text()
    except OSError:
        return str(number)


def _left_by_machine() -> Iterator[int]:
    try:
        for line in MEMINFO.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                yield 1024 * int(line.split()[1])
    except (OSError, ValueError):
        return
