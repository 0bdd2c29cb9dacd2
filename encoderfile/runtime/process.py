"""The process itself: what other programs see of it."""

from __future__ import annotations

import ctypes
import os
import sys

_PR_SET_NAME = 15


def take_name(name: str) -> None:
    """Shows `name` (15 bytes of it) where the kernel would show the runtime's: `top`, `ps -o comm`, `pgrep`."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_NAME, os.fsencode(name)[:15], 0, 0, 0)
