"""Puts the loader and the C library into a frozen runtime, so that the machine it runs on needs none.

They lie in a folder of their own, `libc/`, because a runtime that loads a GPU driver runs with the C library of the
machine where that is new enough (build/launcher/become.c).
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from encoderfile.builder.runtimes.elf import interpreter, is_elf, with_interpreter
from encoderfile.errors import ConfigError

FOLDER = "libc"
"""The folder of the runtime that holds them."""
PROGRAM = "runtime"
LOADER_FILE = "/proc/self/fd/197"
"""The loader that the runtime's program names: a file that the launcher opens. `LOADER_FD` in become.c."""

_OPENED_BY_NAME = ("libnss_files.so.2", "libnss_dns.so.2", "libnss_compat.so.2", "libresolv.so.2")
"""What the C library opens when it looks up users and hosts, in versions before 2.34 or on old-fashioned systems."""


def add(folder: Path) -> list[Path]:
    """Adds them to the frozen runtime in `folder`, and lets its program name the launcher's open file as its loader.

    Returns the files that were copied, by the paths they have on this machine. Raises `ConfigError` where a library
    that the runtime needs is not found.
    """
    program = folder / PROGRAM
    data = program.read_bytes()
    loader = Path(interpreter(data))
    found = {loader.name: loader, **_needed(folder, loader)}
    beside = found["libc.so.6"].parent
    found |= {name: beside / name for name in _OPENED_BY_NAME if (beside / name).exists()}
    target = folder / FOLDER
    target.mkdir()
    for name, path in found.items():
        shutil.copyfile(path, target / name)
        (target / name).chmod(0o755 if path == loader else 0o644)
    program.write_bytes(with_interpreter(data, LOADER_FILE))
    return [path.resolve() for path in found.values()]


def _needed(folder: Path, loader: Path) -> dict[str, Path]:
    """The libraries that those in `folder` need and that are not in it: names, and where the loader finds them."""
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if is_elf(path):
            for name, place in _listed(path, folder, loader):
                if not place.is_relative_to(folder) and place.name != loader.name:
                    found[name] = place
    return found


def _listed(path: Path, folder: Path, loader: Path) -> Iterator[tuple[str, Path]]:
    """What the loader finds for one program or library: `libm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x7f...)`."""
    command = [str(loader), "--library-path", str(folder / "_internal"), str(path)]
    environment = {"LD_TRACE_LOADED_OBJECTS": "1"}  # as `ldd` does: unlike --list, it goes on where one is missing
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout
    for name, place in re.findall(r"^\s*(\S+) => (.+?)(?: \(0x[0-9a-f]+\))?$", said, re.MULTILINE):
        if place != "not found":
            yield name, Path(place)
        elif not _uses_a_driver(path):
            raise ConfigError(f"the runtime cannot be frozen: {path.name} needs {name}, which is not installed here")


def _uses_a_driver(path: Path) -> bool:
    """Whether the library needs others that belong to a GPU's driver or toolkit."""
    return path.name.startswith("libonnxruntime_providers_")


def version(files: Iterable[Path]) -> str:
    """The version that the C library among `files` says it has, such as `2.36`. Raises `ConfigError`."""
    for path in files:
        said = re.search(rb"GNU C Library[^\n]* release version (\d+\.\d+)", path.read_bytes())
        if said:
            return said[1].decode()
    raise ConfigError("the runtime cannot be frozen: the C library here is not glibc, which its libraries need")
