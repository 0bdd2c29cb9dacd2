"""Open files: as many as this process may have, and the connections that they are enough for."""

from __future__ import annotations

import contextlib
import logging
import resource
from pathlib import Path

from encoderfile.errors import ConfigError

log = logging.getLogger(__name__)

_RESERVE = 32
"""Descriptors for what is opened beside connections once the server runs: libraries, sockets of the loop, files."""


def raise_limit() -> None:
    """Takes the hard limit of open files, which shells and service managers leave far above the soft one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def connections(wanted: int, shares: int) -> int:
    """How many of `wanted` connections there may be, each of them `shares` descriptors, by the limit of open files.

    Raises `ConfigError` when they are none.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return wanted
    opened = len(list(Path("/proc/self/fd").iterdir()))
    allowed = (limit - opened - _RESERVE) // shares
    if allowed < 1:
        raise ConfigError(
            f"this process may open {limit} files (ulimit -n), and serving needs {opened + _RESERVE + shares} "
            "at least: raise the limit"
        )
    if allowed < wanted:
        log.warning(
            "%d connections at a time instead of --max-connections %d: the process may open %d files (ulimit -n)",
            allowed,
            wanted,
            limit,
        )
    return min(allowed, wanted)
