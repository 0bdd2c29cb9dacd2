"""What a file unpacks beside its runtime, when it is needed: packs in the payload, unpacked by its launcher."""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

from encoderfile.container import Container, Slice
from encoderfile.errors import ConfigError


def places(executable: Path, names: Iterable[str]) -> list[Slice]:
    """Where the packs of these names lie in the file, as far as it has them."""
    with Container(executable) as container:
        found = [container.manifest.artifact(name) for name in names]
        return [container.slice_of(artifact) for artifact in found if artifact is not None]


def folder(place: Slice, what: str) -> Path:
    """Has the launcher unpack one of them, unless it did before; returns where it is, kept while this process lives.

    Raises `ConfigError` where that fails; the launcher has printed why.
    """
    environment = {**os.environ, "ENCODERFILE_UNPACK": f"{place.offset}:{place.length}"}
    done = subprocess.run([place.path], stdout=subprocess.PIPE, env=environment, check=False)
    if done.returncode != 0:
        raise ConfigError(f"{what} in this file cannot be unpacked")
    found = Path(os.fsdecode(done.stdout.removesuffix(b"\n")))
    lock = found.parent / f"{found.name}.lock"
    with contextlib.suppress(OSError):  # there is none in a folder that came with the file, nor on some file systems
        # Never closed: it keeps other versions from removing the folder while this process lives.
        fcntl.flock(os.open(lock, os.O_RDONLY), fcntl.LOCK_SH | fcntl.LOCK_NB)
    return found
