"""Writes the executable, in the layout of encoderfile/container.py."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from encoderfile.container import ALIGNMENT, CHUNK, FOOTER, MAGIC, Advance, Container, Slice, hash_range
from encoderfile.errors import ConfigError, ContainerError
from encoderfile.manifest import Artifact, Manifest
from encoderfile.progress import Progress

_STRETCH = 64 << 20
"""Bytes that the kernel copies at a time, at most, so that progress can be shown."""


@dataclass(frozen=True, slots=True)
class Part:
    """What becomes one artifact: ready bytes, or slices of files laid out in `length` bytes with zeros between."""

    name: str
    data: bytes = b""
    slices: Sequence[Slice] = ()
    length: int = 0


def write(
    target: Path,
    *,
    launcher: Slice,
    pack: Slice,
    parts: Sequence[Part],
    describe: Callable[[tuple[Artifact, ...]], Manifest],
    advance: Advance = lambda _: None,
) -> Manifest:
    """Writes a whole executable to `target` and returns its manifest.

    `launcher` and `pack` are those of `builder.runtimes`; `describe` makes the manifest once offsets and
    checksums are known. `advance` is told of all slices twice, once hashed and once copied, and of launcher and pack
    once. Raises `OSError` when the disk is full or the folder cannot be written.
    """
    artifacts: list[Artifact] = []
    with _executable(target, advance) as copier:
        copier.copy(launcher)
        payload = copier.next_part()
        for part in parts:
            start = copier.next_part()
            digest = hashlib.sha256()
            copier.write(part.data, digest)
            for each in part.slices:
                copier.pad_to(start + each.at, digest)
                copier.copy(each, digest)
            length = max(part.length, len(part.data))
            copier.pad_to(start + length, digest)
            artifacts.append(Artifact(part.name, start - payload, length, digest.hexdigest()))
        manifest = describe(tuple(artifacts))
        data = manifest.to_bytes()
        offset = copier.next_part()
        copier.write(data)
        _finish(copier, payload, offset, data, pack)
    return manifest


def rewrap(
    target: Path, container: Container, *, launcher: Slice, pack: Slice, advance: Advance = lambda _: None
) -> None:
    """Writes `container`'s payload, byte for byte, between another launcher and another pack.

    `advance` is told of every byte once. Raises `OSError` when the disk is full or the folder cannot be written.
    """
    with _executable(target, advance) as copier:
        copier.copy(launcher)
        payload = copier.next_part()
        before = container.manifest_offset - container.payload_offset
        copier.copy(Slice(container.path, container.payload_offset, before))
        data = container.manifest.to_bytes()
        copier.write(data)
        _finish(copier, payload, payload + before, data, pack)


def copy_out(source: Slice, target: Path, advance: Advance = lambda _: None) -> None:
    """Writes the bytes of `source` into a file of its own; `advance` is told of every byte once. Raises `OSError`."""
    with target.open("wb") as out:
        _Copier(out, advance).copy(source)


@contextlib.contextmanager
def _executable(target: Path, advance: Advance) -> Iterator[_Copier]:
    with target.open("wb") as out:
        if not stat.S_ISREG(os.fstat(out.fileno()).st_mode):
            raise ConfigError(f"{target} is a pipe or a device, an executable needs a file: give another path")
        yield _Copier(out, advance)
        out.flush()
        os.fchmod(out.fileno(), 0o755)
        os.fsync(out.fileno())


def _finish(copier: _Copier, payload: int, manifest: int, data: bytes, pack: Slice) -> None:
    """Writes what follows the payload: pack and footer."""
    at = copier.next_part()
    copier.copy(pack)
    total = copier.position + FOOTER.size
    digest = hashlib.sha256(data).digest()
    copier.write(FOOTER.pack(MAGIC, payload, manifest, len(data), at, pack.length, total, digest))


class _Copier:
    """Writes forward into one file. Data is hashed as it passes; `copy_file_range` lets disks share blocks."""

    def __init__(self, out: BinaryIO, advance: Advance) -> None:
        self._out = out
        self._advance = advance
        self.position = 0

    def next_part(self) -> int:
        """Fills with zeros up to where the next part begins; returns that."""
        self.pad_to(-(-self.position // ALIGNMENT) * ALIGNMENT)
        return self.position

    def pad_to(self, offset: int, digest: hashlib._Hash | None = None) -> None:
        gap = offset - self.position
        if gap:
            self.write(bytes(gap), digest)

    def write(self, data: bytes, digest: hashlib._Hash | None = None) -> None:
        self._out.write(data)
        self.position += len(data)
        if digest is not None:
            digest.update(data)

    def copy(self, source: Slice, digest: hashlib._Hash | None = None) -> None:
        """Copies by the kernel and hashes from the source's page cache: no byte passes twice through Python."""
        self._out.flush()
        with source.path.open("rb") as file:
            if digest is not None:
                hash_range(file.fileno(), source.offset, source.length, digest, self._advance)
            left, offset = source.length, source.offset
            while left:
                done = _copy_range(file.fileno(), self._out.fileno(), min(left, _STRETCH), offset)
                if done == 0:
                    raise ContainerError(f"{source.path} became shorter while it was read: start the build again")
                left -= done
                offset += done
                self._advance(done)
        self.position += source.length
        self._out.seek(self.position)


def _copy_range(source: int, target: int, count: int, offset: int) -> int:
    try:
        return os.copy_file_range(source, target, count, offset_src=offset)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM):
            raise
    return os.write(target, os.pread(source, min(count, CHUNK), offset))


def sha256(file: Path) -> str:
    """The checksum of the whole file."""
    digest = hashlib.sha256()
    size = file.stat().st_size
    with file.open("rb") as source, Progress.of_bytes("computing the checksum of the new file", size) as progress:
        hash_range(source.fileno(), 0, size, digest, progress.advance)
    return digest.hexdigest()
