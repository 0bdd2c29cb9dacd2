"""The libraries of CUDA that this file brings: unpacked by its launcher when CUDA is used, and loaded by their paths.

onnxruntime's provider and these libraries ask for each other by name alone; the loader finds a library of that name
that is already in the process before it looks anywhere else.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import subprocess
from functools import cache, partial
from pathlib import Path

from encoderfile.container import Container, Slice
from encoderfile.errors import ConfigError
from encoderfile.manifest import LIBRARIES
from encoderfile.model.device import Device, choose

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
    with Container(executable) as container:
        found = [container.manifest.artifact(name) for name in LIBRARIES]
        return [container.slice_of(artifact) for artifact in found if artifact is not None]


def folder(place: Slice) -> Path:
    """Has the launcher unpack one of them, unless it did before; returns where it is, kept while this process lives.

    Raises `ConfigError` where that fails; the launcher has printed why.
    """
    environment = {**os.environ, "ENCODERFILE_UNPACK": f"{place.offset}:{place.length}"}
    done = subprocess.run([place.path], stdout=subprocess.PIPE, env=environment, check=False)
    if done.returncode != 0:
        raise ConfigError("the libraries of CUDA in this file cannot be unpacked")
    found = Path(os.fsdecode(done.stdout.removesuffix(b"\n")))
    lock = found.parent / f"{found.name}.lock"
    with contextlib.suppress(OSError):  # there is none in a folder that came with the file, nor on some file systems
        # Never closed: it keeps other versions from removing the folder while this process lives.
        fcntl.flock(os.open(lock, os.O_RDONLY), fcntl.LOCK_SH | fcntl.LOCK_NB)
    return found


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
