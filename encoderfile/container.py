"""The layout of the executable: where payload and footer lie, how they are written, read and verified.

    [launcher][page-aligned payload: artifacts, manifest][pack: the frozen runtime][footer]

The launcher reads the footer to find the pack, unpacks it once into a cache folder and becomes the runtime;
the runtime reads the footer to find the payload, and maps it.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import mmap
import os
import stat
import struct
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from encoderfile.errors import ConfigError, ContainerError
from encoderfile.manifest import Artifact, Manifest

PAGE = 4096
MAGIC = b"ENCFILE\x01"
# magic, payload offset, manifest offset and length, pack offset and length, length of the whole file, sha256 of
# the manifest; the launcher reads it too (`struct footer` in build/launcher/pack.h)
_FOOTER = struct.Struct("<8sQQQQQQ32s")
_CHUNK = 1 << 20
_STRETCH = 64 << 20
"""Bytes that the kernel copies at a time, at most, so that it can be told how far it is."""

Advance = Callable[[int], object]
"""What is told of every piece that was read or written, in bytes."""


def _untold(_: object) -> None:
    """For those who want no news."""


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


@dataclass(frozen=True, slots=True)
class Part:
    """What becomes one artifact: ready bytes, or slices of files laid out in `length` bytes with zeros between."""

    name: str
    data: bytes = b""
    slices: Sequence[Slice] = ()
    length: int = 0


def _align(offset: int) -> int:
    return -(-offset // PAGE) * PAGE


class _Copier:
    """Writes forward into one file. Data is hashed as it passes; `copy_file_range` lets disks share blocks."""

    def __init__(self, out: BinaryIO, advance: Advance) -> None:
        self._out = out
        self._advance = advance
        self.position = 0

    def pad_to(self, offset: int, digest: hashlib._Hash | None = None) -> None:
        gap = offset - self.position
        if gap:
            self.write(bytes(gap), digest)

    def write(self, data: bytes, digest: hashlib._Hash | None = None) -> None:
        self._out.write(data)
        self.position += len(data)
        if digest is not None:
            digest.update(data)

    def copy(self, piece: Slice, digest: hashlib._Hash | None = None) -> None:
        """Copies by the kernel and hashes from the source's page cache: no byte passes twice through Python."""
        self._out.flush()
        with piece.path.open("rb") as source:
            if digest is not None:
                hash_range(source.fileno(), piece.offset, piece.length, digest, self._advance)
            left, offset = piece.length, piece.offset
            while left:
                done = _copy_range(source.fileno(), self._out.fileno(), min(left, _STRETCH), offset)
                if done == 0:
                    raise ContainerError(f"{piece.path} became shorter while it was read: start the build again")
                left -= done
                offset += done
                self._advance(done)
        self.position += piece.length
        self._out.seek(self.position)


def hash_range(file: int, offset: int, length: int, digest: hashlib._Hash, advance: Advance = _untold) -> None:
    """Adds bytes of an open file to `digest`, through one small buffer; stops early where the file ends.

    `advance` is told how many bytes were read, again and again.
    """
    view = memoryview(bytearray(_CHUNK))
    while length:
        count = os.preadv(file, [view[: min(length, _CHUNK)]], offset)
        if count == 0:
            return
        digest.update(view[:count])
        offset += count
        length -= count
        advance(count)


def _copy_range(source: int, target: int, count: int, offset: int) -> int:
    try:
        return os.copy_file_range(source, target, count, offset_src=offset)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM):
            raise
    return os.write(target, os.pread(source, min(count, _CHUNK), offset))


@contextlib.contextmanager
def replacing(path: Path, flag: str, say: Callable[[str], object] = _untold) -> Iterator[Path]:
    """Gives a temporary path beside `path` and renames it there when the block ends well.

    `flag` is what a user sets to choose another place; errors name it. `say` is told of a folder that was made.

    A pipe or a device is written as it is: a rename would put a file in its place. Raises `ConfigError` with
    one sentence for a folder that cannot be written or a full disk; nothing is left behind and an older file
    at `path` stays as it was.
    """
    try:
        special = is_special(path)
        if not special:
            path = path.resolve()  # a link stays a link: what it leads to is replaced
    except (OSError, RuntimeError) as error:  # a circle of links is a RuntimeError before Python 3.13
        reason = error.strerror if isinstance(error, OSError) else "its links lead in a circle"
        raise ConfigError(f"cannot write {path}: {reason}; choose another place with {flag}") from error
    if special:
        try:
            yield path
        except OSError as error:
            raise ConfigError(f"cannot write {path}: {error.strerror}") from error
        return
    made: list[Path] = []
    temporary = None
    try:
        made = _make_folders(path.parent)
        # So short that a name which is just not too long leaves room for what is added.
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:30]}.", suffix=".tmp", dir=path.parent)
        temporary = Path(name)
        os.fchmod(handle, 0o666 & ~_umask())
        os.close(handle)
    except OSError as error:
        _remove(temporary, made)
        raise ConfigError(
            f"cannot write into {path.parent}: {error.strerror}; choose another place with {flag}"
        ) from error
    whole = False
    try:
        yield temporary
        if path.is_dir():
            raise ConfigError(f"{path} is a folder; give the name of a file with {flag}")
        temporary.rename(path)
        whole = True
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}; choose another place with {flag}") from error
    finally:
        if not whole:
            _remove(temporary, made)
    for folder in made[-1:]:
        say(f"made the folder {folder}")


def is_special(path: Path) -> bool:
    """Whether `path` is or leads to a pipe or a device. `/dev/stderr` leads to what has no path of its own."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _make_folders(folder: Path) -> list[Path]:
    """Makes `folder` and those above it that are missing; returns the new ones, the outermost first."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()][::-1]
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def _remove(temporary: Path | None, made: Sequence[Path]) -> None:
    """Takes back what was begun: the temporary file, and the folders made for it, unless others use them now."""
    if temporary is not None:
        temporary.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        for folder in reversed(made):
            folder.rmdir()


def _umask() -> int:
    """What new files of this process are not allowed; the call that tells it also sets it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def write(
    target: Path,
    *,
    launcher: Slice,
    pack: Slice,
    parts: Sequence[Part],
    describe: Callable[[tuple[Artifact, ...]], Manifest],
    advance: Advance = _untold,
) -> Manifest:
    """Writes a whole executable to `target` and returns its manifest.

    `launcher` and `pack` are those of `builder.freeze`; `describe` makes the manifest once offsets and
    sums are known. `advance` is told of all slices twice, once hashed and once copied, and of launcher and pack
    once. Raises `OSError` when the disk is full or the folder cannot be written.
    """
    artifacts: list[Artifact] = []
    with _executable(target, advance) as copier:
        copier.copy(launcher)
        payload = _align(copier.position)
        for part in parts:
            start = _align(copier.position)
            copier.pad_to(start)
            digest = hashlib.sha256()
            copier.write(part.data, digest)
            for piece in part.slices:
                copier.pad_to(start + piece.at, digest)
                copier.copy(piece, digest)
            length = max(part.length, len(part.data))
            copier.pad_to(start + length, digest)
            artifacts.append(Artifact(part.name, start - payload, length, digest.hexdigest()))
        manifest = describe(tuple(artifacts))
        data = manifest.to_bytes()
        offset = _align(copier.position)
        copier.pad_to(offset)
        copier.write(data)
        _finish(copier, payload, offset, data, pack)
    return manifest


def rewrap(target: Path, container: Container, *, launcher: Slice, pack: Slice, advance: Advance = _untold) -> None:
    """Writes `container`'s payload, byte for byte, between another launcher and another pack.

    `advance` is told of every byte once. Raises `OSError` when the disk is full or the folder cannot be written.
    """
    with _executable(target, advance) as copier:
        copier.copy(launcher)
        payload = _align(copier.position)
        copier.pad_to(payload)
        before = container.manifest_offset - container.payload_offset
        copier.copy(Slice(container.path, container.payload_offset, before))
        data = container.manifest.to_bytes()
        copier.write(data)
        _finish(copier, payload, payload + before, data, pack)


def copy_out(piece: Slice, target: Path, advance: Advance = _untold) -> None:
    """Writes the bytes of `piece` into a file of its own; `advance` is told of every byte once. Raises `OSError`."""
    with target.open("wb") as out:
        _Copier(out, advance).copy(piece)


@contextlib.contextmanager
def _executable(target: Path, advance: Advance) -> Iterator[_Copier]:
    with target.open("wb") as out:
        if not stat.S_ISREG(os.fstat(out.fileno()).st_mode):
            raise ConfigError(f"{target} is a pipe or a device, an executable needs a file: give another place")
        yield _Copier(out, advance)
        out.flush()
        os.fchmod(out.fileno(), 0o755)
        os.fsync(out.fileno())


def _finish(copier: _Copier, payload: int, manifest: int, data: bytes, pack: Slice) -> None:
    """Writes what follows the payload: pack and footer."""
    at = _align(copier.position)
    copier.pad_to(at)
    copier.copy(pack)
    total = copier.position + _FOOTER.size
    digest = hashlib.sha256(data).digest()
    copier.write(_FOOTER.pack(MAGIC, payload, manifest, len(data), at, pack.length, total, digest))


def _at_once(path: str, flags: int) -> int:
    """Opens without waiting: a pipe has no writer, and no footer either."""
    return os.open(path, flags | os.O_NONBLOCK)


class Container:
    """An executable with a payload, opened for reading. Use as a context manager or call `close`.

    `payload_offset` and `manifest_offset` count bytes from the start of the file; `pack` is the frozen runtime.
    """

    def __init__(self, path: Path) -> None:
        """Opens `path` and reads its manifest.

        Raises `ContainerError` when the file has no payload, was cut, or its manifest is damaged.
        """
        self.path = path
        try:
            self._file = open(path, "rb", opener=_at_once)  # noqa: SIM115 `close` ends it
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
        footer = os.pread(self._file.fileno(), _FOOTER.size, max(0, self.size - _FOOTER.size))
        if len(footer) < _FOOTER.size or not footer.startswith(MAGIC[:7]):
            raise ContainerError(
                f"{self.path} is not a whole encoderfile: its end is missing; copy the file again or build it again"
            )
        magic, self.payload_offset, offset, length, at, packed, total, digest = _FOOTER.unpack(footer)
        self.manifest_offset: int = offset
        self.pack = Slice(self.path, at, packed)
        if magic != MAGIC:
            raise ContainerError(f"{self.path} was made by another version of encoderfile: build it again")
        if total != self.size:
            raise ContainerError(f"{self.path} has {self.size} bytes and should have {total}: copy the file again")
        in_order = 0 < self.payload_offset <= offset <= offset + length <= at < total - _FOOTER.size
        on_pages = all(start % PAGE == 0 for start in (self.payload_offset, offset, at))
        if not in_order or not on_pages or at + packed + _FOOTER.size != total:
            raise ContainerError(f"{self.path} is damaged: its footer cannot be; copy the file again")
        data = os.pread(self._file.fileno(), length, offset)
        if hashlib.sha256(data).digest() != digest:
            raise ContainerError(f"{self.path} is damaged: the sum of its manifest differs; copy the file again")
        return Manifest.from_bytes(data)

    def __enter__(self) -> Container:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def slice_of(self, artifact: Artifact) -> Slice:
        """Where the artifact lies in the file. Raises `ContainerError` when it would lie elsewhere."""
        place = Slice(self.path, self.payload_offset + artifact.offset, artifact.length)
        if place.offset + place.length > self.manifest_offset:
            raise ContainerError(
                f"{self.path} is damaged: its {artifact.name} cannot lie where it should; build it again"
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
        return mmap.mmap(
            self._file.fileno(),
            artifact.length,
            prot=mmap.PROT_READ,
            flags=mmap.MAP_SHARED,
            offset=self.slice_of(artifact).offset,
        )

    def verify(self) -> None:
        """Reads every artifact once and compares its sha256. Raises `ContainerError` naming the damaged one.

        Reads through a small buffer, not the mapping, so that memory does not grow with the file.
        """
        for artifact in self.manifest.artifacts:
            digest = hashlib.sha256()
            hash_range(self._file.fileno(), self.slice_of(artifact).offset, artifact.length, digest)
            if digest.hexdigest() != artifact.sha256:
                raise ContainerError(
                    f"{self.path} is damaged: the sha256 of {artifact.name} differs from the manifest; "
                    "copy the file again or build it again"
                )
