"""The process itself: its name, its open files, what systemd is told of it, and how it ends."""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import logging
import os
import resource
import socket
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from encoderfile.errors import ConfigError

log = logging.getLogger(__name__)

T = TypeVar("T")

_PR_SET_NAME = 15
_YEAR = 365 * 86400.0

_RESERVE = 32
"""Descriptors for what is opened beside connections once the server runs: libraries, sockets of the loop, files."""

LEAVING_SECONDS = 0.6
"""How long closing connections and files may take after the time for answers is over."""


def take_name(name: str) -> None:
    """Shows `name` (15 bytes of it) where the kernel would show the runtime's: `top`, `ps -o comm`, `pgrep`."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_NAME, os.fsencode(name)[:15], 0, 0, 0)


def raise_file_limit() -> None:
    """Takes the hard limit of open files, which shells and service managers leave far above the soft one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def connections(wanted: int, shares: int) -> int:
    """How many of `wanted` connections, of `shares` descriptors each, may be open. Raises `ConfigError` if none."""
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


def notify(state: str) -> None:
    """Sends `READY=1` or `STOPPING=1`; does nothing without a service manager."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):  # an abstract socket
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.connect(address)
            channel.sendall(state.encode())
    except OSError as error:
        log.warning("the service manager cannot be told %s: %s", state, error)


def run(work: Coroutine[Any, Any, T]) -> T:
    """What `work` returns; `end` comes next. The event loop stays open: closing it would wait for its threads."""
    import asyncio  # here, for what runs nothing (`--help`, `info`) would wait for it

    return asyncio.new_event_loop().run_until_complete(work)


def end(code: int) -> NoReturn:
    """Ends the process now, with all that was written. Otherwise Python would wait for runs and for the tokenizer."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, or nobody reads it
            stream.flush()
    os._exit(code)


def end_within(seconds: float) -> None:
    """Ends the process with exit code 1 in `seconds`, a year at most, even if no Python code can run by then."""
    # Without a thread for it only the event loop keeps the time.
    with contextlib.suppress(RuntimeError, OSError):
        faulthandler.dump_traceback_later(min(_YEAR, seconds), exit=True, file=os.open(os.devnull, os.O_WRONLY))
