"""Which files a build reads: regular ones, of a bounded size, that belong to the model's folder.

What a folder names ends up in the built file, and an archive or a repository may hold links: one to a private file
elsewhere would be published with the model. So a link is followed only inside the folder, or in the layout of
Hugging Face's cache, `snapshots/REVISION/NAME -> ../../blobs/HASH`, whose blobs may be links into the store that
repositories share, `blobs/XX/HASH` (huggingface_hub/utils/_shared_blobs.py).
"""

from __future__ import annotations

import os
import re
import shlex
import stat
from pathlib import Path
from typing import BinaryIO

from encoderfile.errors import ModelError

LARGEST = 512 << 20
"""Bytes of a file that is read into memory, at most; the largest tokenizers have some 40 MB."""

_LFS = b"version https://git-lfs"
_SHARED_HASH = re.compile(r"[0-9a-f]{64}")


def inside(path: Path, folder: Path) -> Path:
    """Where `path` really lies, `folder` being the model's. Raises `ModelError` for a link that leads elsewhere."""
    try:
        real, root = path.resolve(), folder.resolve()
    except (OSError, RuntimeError) as error:  # a circle of links is a RuntimeError before Python 3.13
        raise ModelError(f"{path} is a link that leads nowhere: copy the file in its place") from error
    if real.is_relative_to(root) or _in_hub_cache(real, root):
        return real
    raise ModelError(
        f"{path} is a link to {real}, outside the model's folder, and would be published with the built file: if "
        f"that is what you want, build a copy made with "
        f"`cp -rL {shlex.quote(str(folder))} {shlex.quote(f'./{root.name}-copy')}`"
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

    A pipe that nobody writes to would otherwise block without end.
    """
    try:
        file = open(path, "rb", opener=_without_blocking)  # noqa: SIM115 the caller closes it
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise ModelError(f"cannot read {str(path)!r}: a file's name cannot hold a zero byte") from error
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise ModelError(f"cannot read {path}: it is a pipe or a device, not a file")
    return file


def _without_blocking(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)


def read(path: Path) -> bytes:
    """The bytes of a small file of a model.

    Raises `ModelError` as `opened` does, for a file that is too large, and for a Git LFS pointer.
    """
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > LARGEST:
            raise ModelError(f"{path} has {size >> 20} MB, more than the {LARGEST >> 20} MB allowed: copy it again")
        try:
            data = file.read(size)
        except OSError as error:
            raise ModelError(f"cannot read {path}: {error.strerror}") from error
    refuse_lfs_pointer(data, path.name)
    return data


def refuse_lfs_pointer(beginning: bytes, name: str) -> None:
    """Raises `ModelError` for a file of which Git LFS left only a pointer; `beginning` is its first bytes."""
    if beginning.startswith(_LFS):
        raise ModelError(
            f"{name} is a Git LFS pointer, not the file itself: run `git lfs pull` in the folder it came from"
        )
