"""Threads that run before they are needed.

Python starts the threads of a pool when there is work for them, and work whose thread cannot be had is lost.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from encoderfile.errors import ExhaustedError

LACKING = (
    "no further thread can be started: allow this user or container more of them (ulimit -u, pids.max) "
    "or more memory (ulimit -v)"
)
"""What to do about it."""


def started(count: int, name: str) -> ThreadPoolExecutor:
    """A pool whose `count` threads run already. Raises `ExhaustedError` when they cannot be had."""
    pool = ThreadPoolExecutor(count, thread_name_prefix=name)
    all_run = threading.Barrier(count + 1)
    try:
        for _ in range(count):
            pool.submit(all_run.wait)  # none is idle before all are there, so each takes a thread of its own
    except RuntimeError as error:
        all_run.abort()
        pool.shutdown(wait=False, cancel_futures=True)
        raise ExhaustedError(LACKING) from error
    all_run.wait()
    return pool


def check(count: int) -> None:
    """Raises `ExhaustedError` when this process may not have `count` more threads.

    Libraries that find out for themselves end the process, or wait for ever for a thread that is not there.
    """
    end = threading.Event()
    running: list[threading.Thread] = []
    usual = threading.stack_size(1 << 16)  # what is looked at is how many, not their memory
    try:
        for _ in range(count):
            thread = threading.Thread(target=end.wait, daemon=True)
            thread.start()
            running.append(thread)
    except RuntimeError as error:
        raise ExhaustedError(f"{len(running)} of {count} threads that serving needs: {LACKING}") from error
    finally:
        threading.stack_size(usual)
        end.set()
        for thread in running:
            thread.join()
