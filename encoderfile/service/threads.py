"""Threads that run before they are needed: a pool of Python starts them later, and loses work if it cannot."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

from encoderfile.errors import ConfigError

LACKING = "allow this user or container more of them (ulimit -u, pids.max), or more memory (ulimit -v)"
"""What to do where no further thread can be started."""

_STACK = 1 << 18
"""Bytes of stack for threads that only wait; aarch64 allows no less than half of it (PTHREAD_STACK_MIN)."""


def started(count: int, name: str) -> ThreadPoolExecutor:
    """A pool whose `count` threads run already. Raises `ConfigError` when they cannot be had."""
    pool = ThreadPoolExecutor(count, thread_name_prefix=name)
    all_run = threading.Barrier(count + 1)
    try:
        for _ in range(count):
            pool.submit(all_run.wait)  # none is idle before all are there, so each takes a thread of its own
    except RuntimeError as error:
        all_run.abort()
        pool.shutdown(wait=False, cancel_futures=True)
        raise ConfigError(f"no further thread can be started: {LACKING}") from error
    all_run.wait()
    return pool


def check(count: int) -> None:
    """Raises `ConfigError` when this process may not have `count` more threads, on which libraries crash or hang.

    Call it while there is one thread: a child process tries it, so that the memory of its threads is given back.
    """
    try:
        child = os.fork()
    except OSError as error:
        raise ConfigError(f"no further process can be started: {LACKING}") from error
    if child == 0:
        found = 0
        try:
            found = _startable(min(count, 255))
        finally:  # the child must never go on as the server
            os._exit(found)
    _, status = os.waitpid(child, 0)
    found = os.waitstatus_to_exitcode(status)
    if found < min(count, 255):
        raise ConfigError(f"of the {count} threads that serving needs {max(found, 0)} can be started: {LACKING}")


def _startable(count: int) -> int:
    """How many of `count` threads can be started side by side."""
    end = threading.Event()
    threading.stack_size(_STACK)
    for started_before in range(count):
        try:
            threading.Thread(target=end.wait, daemon=True).start()
        except RuntimeError:
            return started_before
    return count
