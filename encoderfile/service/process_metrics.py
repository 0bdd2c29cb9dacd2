"""The usual metrics of a process, read from the kernel when they are asked for."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from pathlib import Path

from encoderfile.service.families import Counter, Family, Gauge


def families() -> Iterator[Family]:
    """`process_*`; those of /proc only where there is one."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu_seconds = used.ru_utime + used.ru_stime
    yield Counter("process_cpu_seconds_total", "CPU time, user and system.", values={(): cpu_seconds})
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield _gauge("process_max_fds", "Maximum open files.", limit)
    try:
        fields = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        boot = next(
            float(line.split()[1])
            for line in Path("/proc/stat").read_text(encoding="utf-8").splitlines()
            if line.startswith("btime ")
        )
        open_files = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names alone, and one call
    except (OSError, StopIteration):
        return
    yield _gauge("process_start_time_seconds", "Start time.", boot + int(fields[19]) / os.sysconf("SC_CLK_TCK"))
    yield _gauge("process_virtual_memory_bytes", "Address space.", int(fields[20]))
    resident = int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
    yield _gauge("process_resident_memory_bytes", "Resident memory, mapped weights included.", resident)
    yield _gauge("process_open_fds", "Open files.", open_files)


def _gauge(name: str, help: str, value: float) -> Gauge:
    return Gauge(name, help, values={(): value})
