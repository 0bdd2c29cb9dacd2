"""The layout of the executable, and how it is read and verified; builder/container_writer.py writes it.

    [launcher][aligned payload: artifacts, manifest][pack: the frozen runtime][footer]

The launcher reads the footer to find the pack, unpacks it once into a cache folder and becomes the runtime;
the runtime reads the footer to find the payload, and maps it.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import struct
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from encoderfile.errors import ContainerError
from encoderfile.manifest import Artifact, Manifest

PAGE = 4096
ALIGNMENT = 1 << 16
"""Parts of a file begin on a multiple of it: the largest page of a kernel (arm64), which maps only from whole pages.
Files of encoderfile 0.1.0 have a `PAGE` there."""
MAGIC = b"ENCFILE\x01"
FOOTER = struct.Struct("<8sQQQQQQ32s")
"""Magic, payload offset, manifest offset and length, pack offset and length, length of the whole file, sha256 of the
manifest; the launcher reads it too (`struct footer` in build/launcher/pack.h)."""

MAGIC_07, FOOTER_07 = b"ENCFILE\0", 32
"""With what the footer of encoderfile 0.7 begins, and its bytes."""

CHUNK = 1 << 20
"""Bytes that are read at a time."""

Advance = Callable[[int], object]
"""Called with the number of bytes of every chunk that was read or written."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Bytes of a file on disk, to be copied without being read into memory; `at` is relative to its part."""

    path: Path
    offset: int
    length: int
    at: int = 0

    @classmethod
    def whole(cls, path: Path) -> Slice:
        """All of the file at `path`."""
        return cls(path, 0, path.stat().st_size)


def hash_range(file: int, offset: int, length: int, digest: hashlib._Hash, advance: Advance = lambda _: None) -> None:
    """Adds bytes of an open file to `digest`, through one small buffer; stops early where the file ends."""
    view = memoryview(bytearray(CHUNK))
    while length:
        count = os.preadv(file, [view[: min(length, CHUNK)]], offset)
        if count == 0:
            return
        digest.update(view[:count])
        offset += count
        length -= count
        advance(count)


class Container:
    """An executable with a payload, opened for reading. Use as a context manager or call `close`.

    `payload_offset` and `manifest_offset` count bytes from the start of the file; `pack` is the frozen runtime.
    """

    def __init__(self, path: Path) -> None:
        """Raises `ContainerError` when the file has no payload, was truncated, or its manifest is damaged."""
        self.path = path
        try:
            # Without waiting for a pipe's writer: a pipe has no footer either.
            self._file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK))  # noqa: SIM115
        except OSError as error:
            raise ContainerError(f"cannot read {path}: {error.strerror}") from error
        try:
            self.size = os.fstat(self._file.fileno()).st_size
            self.manifest = self._read_manifest()
        except OSError as error:  # a pipe or a device
            self._file.close()
            raise ContainerError(f"cannot read {path}: {error.strerror}") from error
        except BaseException:
            self._file.close()
            raise

    def _read_manifest(self) -> Manifest:
        footer = os.pread(self._file.fileno(), FOOTER.size, max(0, self.size - FOOTER.size))
        if footer[-FOOTER_07:].startswith(MAGIC_07):
            raise ContainerError(f"{self.path} was made by encoderfile 0.7 or older: build it again from its model")
        if len(footer) < FOOTER.size or not footer.startswith(MAGIC[:7]):
            raise ContainerError(
                f"{self.path} is not a whole encoderfile: its end is missing; copy the file again or build it again"
            )
        magic, self.payload_offset, offset, length, at, packed, total, digest = FOOTER.unpack(footer)
        self.manifest_offset: int = offset
        self.pack = Slice(self.path, at, packed)
        if magic != MAGIC:
            raise ContainerError(f"{self.path} was made by another version of encoderfile: build it again")
        if total != self.size:
            raise ContainerError(f"{self.path} has {self.size} bytes and should have {total}: copy the file again")
        in_order = 0 < self.payload_offset <= offset <= offset + length <= at < total - FOOTER.size
        on_pages = all(start % PAGE == 0 for start in (self.payload_offset, offset, at))
        if not in_order or not on_pages or at + packed + FOOTER.size != total:
            raise ContainerError(f"{self.path} is damaged: its footer is not valid; copy the file again")
        data = os.pread(self._file.fileno(), length, offset)
        if hashlib.sha256(data).digest() != digest:
            raise ContainerError(f"{self.path} is damaged: the checksum of its manifest differs; copy the file again")
        return Manifest.from_bytes(data)

    def __enter__(self) -> Container:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def slice_of(self, artifact: Artifact) -> Slice:
        """Where the artifact lies in the file. Raises `ContainerError` when it would lie elsewhere."""
        place = Slice(self.path, self.payload_offset + artifact.offset, artifact.length)
        if place.offset + place.length > self.manifest_offset:
            raise ContainerError(
                f"{self.path} is damaged: its {artifact.name} does not lie where it should; build it again"
            )
        return place

    def close(self) -> None:
        """Closes the file; mappings made by `map` stay valid."""
        self._file.close()

    def read(self, name: str) -> bytes:
        """The bytes of a small artifact. Raises `ContainerError` when the file has none of that name."""
        artifact = self.manifest.artifact(name)
        if artifact is None:
            raise ContainerError(f"{self.path} holds no {name}")
        return os.pread(self._file.fileno(), artifact.length, self.slice_of(artifact).offset)

    def map(self, name: str) -> mmap.mmap | None:
        """The artifact mapped read-only from the executable itself, or None when the file has none."""
        artifact = self.manifest.artifact(name)
        if artifact is None or artifact.length == 0:
            return None
        offset = self.slice_of(artifact).offset
        return mmap.mmap(self._file.fileno(), artifact.length, mmap.MAP_SHARED, mmap.PROT_READ, offset=offset)

    def verify(self, but: Collection[str] = ()) -> None:
        """Compares the sha256 of every artifact, `but` of these. Raises `ContainerError` naming the damaged one."""
        for artifact in self.manifest.artifacts:
            if artifact.name in but:
                continue
            digest = hashlib.sha256()
            hash_range(self._file.fileno(), self.slice_of(artifact).offset, artifact.length, digest)
            if digest.hexdigest() != artifact.sha256:
                raise ContainerError(
                    f"{self.path} is damaged: the sha256 of {artifact.name} differs from the manifest; "
                    "copy the file again or build it again"
                )
