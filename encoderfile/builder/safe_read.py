"""Which files a build reads: regular ones, of a bounded size, that belong to the model's folder.

What a folder names ends in the file that is built, and an archive or a repository may hold links: one to a
private file elsewhere would be published with the model. So a link is followed only inside the folder, or in
the layout of Hugging Face's cache, `snapshots/REVISION/NAME -> ../../blobs/HASH`, whose blobs may be links
into the store that repositories share, `blobs/XX/HASH` (huggingface_hub/utils/_shared_blobs.py).
"""

from __future__ import annotations

import os
import re
import shlex
import stat
from pathlib import Path
from typing import BinaryIO

from encoderfile.errors import ModelError

SMALL = 512 << 20
"""Bytes of a file that is read into memory, at most; the largest tokenizers have some 40 MB."""

_SHARED_HASH = re.compile(r"[0-9a-f]{64}")


def inside(path: Path, folder: Path) -> Path:
    """Where `path` really lies, `folder` being the model's. Raises `ModelError` for a link that leads elsewhere."""
    try:
        real, root = path.resolve(), folder.resolve()
    except (OSError, RuntimeError) as error:  # a circle of links is a RuntimeError before Python 3.13
        raise ModelError(f"{path} leads nowhere: copy the file in its place") from error
    if real.is_relative_to(root) or _in_hub_cache(real, root):
        return real
    raise ModelError(
        f"{path} is a link to {real}, outside the model's folder, and would end in the file: if it is meant to, "
        f"build a copy, `cp -rL {shlex.quote(str(folder))} {shlex.quote(f'./{root.name}-copy')}`"
    )


def _in_hub_cache(real: Path, root: Path) -> bool:
    for folder in (root, *root.parents):
        if folder.parent.name == "snapshots":
            repository = folder.parent.parent
            shared = repository.parent / "blobs"
            return real.parent == repository / "blobs" or (
                real.parent == shared / real.name[:2] and _SHARED_HASH.fullmatch(real.name) is not None
            )
    return False


def opened(path: Path) -> BinaryIO:
    """Opens a regular file for reading. Raises `ModelError` for a folder, a pipe or a device, and what is unreadable.

    A pipe that nobody writes to would otherwise be waited for without end.
    """
    try:
        file = open(path, "rb", opener=_at_once)  # noqa: SIM115 the caller ends it
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise ModelError(f"cannot read {str(path)!r}: no name of a file holds a zero byte") from error
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise ModelError(f"cannot read {path}: it is a pipe or a device, not a file")
    return file


def _at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)


def read(path: Path) -> bytes:
    """The bytes of a small regular file. Raises `ModelError` as `opened`, and for one that is too large."""
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > SMALL:
            raise ModelError(
                f"{path} has {size >> 20} MB, and no such file has more than {SMALL >> 20}: copy it again"
            )
        try:
            return file.read(size)
        except OSError as error:
            raise ModelError(f"cannot read {path}: {error.strerror}") from error
