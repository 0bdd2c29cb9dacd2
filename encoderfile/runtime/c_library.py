"""The C library this process runs with: the one that the file brings, or the machine's, for its GPU driver.

The launcher (build/launcher/become.c) chooses it, and changes a few variables of the environment for the start alone.
"""

from __future__ import annotations

import contextlib
import ctypes
import os

_FOR_THE_START = ("LD_LIBRARY_PATH", "LC_ALL", "LD_PRELOAD")
_NAME_SERVICES = {b"hosts": b"files dns", b"passwd": b"files", b"group": b"files"}
"""Those that are part of our C library; what else /etc/nsswitch.conf names would be loaded from the machine."""

_state = {"own": False}


def settle() -> None:
    """Ends the start: the environment is the user's again, and looking up users and hosts loads nothing."""
    for name in _FOR_THE_START:
        kept = os.environ.pop(f"ENCODERFILE_HOST_{name}", None)
        if kept is not None:
            os.environ[name] = kept
        else:
            os.environ.pop(name, None)
    os.environ.pop("LD_LIBRARY_PATH_ORIG", None)  # PyInstaller's
    loader = os.environ.pop("ENCODERFILE_LOADER_FD", None)
    if loader is not None:
        with contextlib.suppress(OSError):
            os.close(int(loader))
    _state["own"] = os.environ.pop("ENCODERFILE_OWN_LIBC", None) is not None
    if _state["own"]:
        libc = ctypes.CDLL(None)
        for database, services in _NAME_SERVICES.items():
            libc.__nss_configure_lookup(database, services)


def is_own() -> bool:
    """Whether it is the one that the file brings."""
    return _state["own"]
