"""The process itself: what other programs see of it, and how it ends."""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import os
import sys
from collections.abc import Coroutine
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")

_PR_SET_NAME = 15

_YEAR = 365 * 86400.0

LEAVING_SECONDS = 0.6
"""How long closing connections and files may take after the time for answers is over."""


def take_name(name: str) -> None:
    """Shows `name` (15 bytes of it) where the kernel would show the runtime's: `top`, `ps -o comm`, `pgrep`."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_NAME, os.fsencode(name)[:15], 0, 0, 0)


def run(work: Coroutine[Any, Any, T]) -> T:
    """What `work` returns. The event loop is left as it is: closing it would wait for whatever its threads do.

    `end` comes after this.
    """
    import asyncio  # here, for what runs nothing (`--help`, `info`) would wait for it

    return asyncio.new_event_loop().run_until_complete(work)


def end(code: int) -> NoReturn:
    """Ends the process now, with all that was written. At a usual exit Python joins the threads of its pools, and a
    run of the model or a tokenizer that is at work would hold it up.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, or nobody reads it
            stream.flush()
    os._exit(code)


def end_within(seconds: float) -> None:
    """Ends the process with exit code 1 in `seconds`, also where no Python code gets its turn until then.

    In a year, where they are more or no end.
    """
    # A thread that cannot be had leaves only the event loop to keep the time.
    with contextlib.suppress(RuntimeError, OSError):
        faulthandler.dump_traceback_later(min(_YEAR, seconds), exit=True, file=os.open(os.devnull, os.O_WRONLY))
