"""The libraries of CUDA that this file brings: unpacked by its launcher when CUDA is used, and loaded by their paths.

onnxruntime's provider and these libraries ask for each other by name alone; the loader finds a library of that name
that is already in the process before it looks anywhere else.
"""

from __future__ import annotations

import ctypes
import os
from functools import cache, partial
from pathlib import Path

from encoderfile.container import Slice
from encoderfile.manifest import LIBRARIES
from encoderfile.model.device import Device, choose
from encoderfile.runtime import unpacking

_OPENED_BY_PATH = ("libcudnn_", "libnvrtc-builtins")
"""Parts that their library looks for in its own folder (`RUNPATH $ORIGIN`), when it needs one."""


def device(executable: Path, wanted: str, index: int, *, load_now: bool = True) -> Device:
    """The device to use, as `model.device.choose` says it, with the libraries that the file brings.

    Without `load_now` nothing is unpacked. Raises `ConfigError`.
    """
    if wanted == "cpu" or not places(executable):
        return choose(wanted, index)
    return choose(wanted, index, partial(_load, executable) if load_now else None)


def places(executable: Path) -> list[Slice]:
    """Where the packs of libraries lie in the file; none: it takes those of its machine."""
    return unpacking.places(executable, LIBRARIES)


def folder(place: Slice) -> Path:
    """As `unpacking.folder`."""
    return unpacking.folder(place, "the libraries of CUDA")


@cache
def _load(executable: Path) -> None:
    """Raises `ConfigError` where they cannot be unpacked, `OSError` where one cannot be loaded."""
    ahead = [
        path
        for place in places(executable)
        for path in sorted(folder(place).iterdir())
        if ".so" in path.name and not path.name.startswith(_OPENED_BY_PATH)
    ]
    while ahead:  # one may need another of them
        left = [path for path in ahead if not _try(path)]
        if len(left) == len(ahead):
            ctypes.CDLL(str(left[0]))  # says what is missing
        ahead = left


def _try(path: Path) -> bool:
    try:
        ctypes.CDLL(str(path), mode=os.RTLD_GLOBAL)  # for the rest of the process
    except OSError:
        return False
    return True
