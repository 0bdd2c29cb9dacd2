"""The process itself: who our parent is and what we die with."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Asks the kernel for SIGTERM when the bootloader, our parent, is killed.

    Without it, `kill -9` of the process a user sees would leave the server running. Linux only.
    """
    if not getattr(sys, "_MEIPASS", None) or not sys.platform.startswith("linux"):
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died in between
        raise SystemExit(1)
