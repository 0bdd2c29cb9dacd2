"""Packs a folder, in the layout of encoderfile/pack.py."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from encoderfile.container import CHUNK, PAGE
from encoderfile.pack import ENTRY, HEADER, header

_SMALL = 32 << 20
"""Bytes of a file that is compressed in memory; the parts of CUDA have hundreds of MB each."""


@dataclass(frozen=True, slots=True)
class _File:
    """One entry. `packed` is what is stored, or the file that holds it: `length` bytes, of this `digest`."""

    path: bytes
    mode: int
    size: int
    packed: bytes | Path
    length: int
    digest: bytes

    def copy_to(self, out: BinaryIO) -> None:
        if isinstance(self.packed, bytes):
            out.write(self.packed)
        else:
            with self.packed.open("rb") as source:
                shutil.copyfileobj(source, out, CHUNK)


def write_pack(folder: Path, target: Path, libc: str, flags: int = 0, level: int = 9) -> None:
    """Packs `folder` into `target`; the same folder gives the same bytes. Arguments and errors: as `write_files`."""
    paths = (path for path in folder.rglob("*") if path.is_symlink() or path.is_file())
    write_files({str(path.relative_to(folder)): path for path in paths}, target, libc, flags, level)


def write_files(files: Mapping[str, Path], target: Path, libc: str, flags: int = 0, level: int = 9) -> None:
    """Packs `files`, keyed by their paths in the pack, into `target`.

    `libc` is the oldest glibc that its libraries run with, `flags` are those of the header, `level` is zlib's. Large
    files pass through temporary ones beside `target`. Raises `OSError` when the disk is full.
    """
    jobs = sorted(files.items(), key=lambda job: -job[1].lstat().st_size)  # the largest takes longest
    with tempfile.TemporaryDirectory(dir=target.parent) as work:
        places = [Path(work, str(number)) for number in range(len(jobs))]
        with ThreadPoolExecutor(os.cpu_count()) as pool:  # zlib releases the GIL
            entries = list(pool.map(lambda job, place: _pack(job[0], job[1], place, level), jobs, places))
        _write(sorted(entries, key=lambda entry: entry.path), target, libc, flags)


def _write(files: Sequence[_File], target: Path, libc: str, flags: int) -> None:
    """`files` are in the order of their paths, because the launcher finds one by binary search."""
    offset = HEADER.size + sum(ENTRY.size + len(file.path) + 1 for file in files)
    index = b""
    for file in files:
        index += ENTRY.pack(offset, file.length, file.size, file.mode, len(file.path), file.digest)
        index += file.path + b"\0"
        offset += file.length
    with target.open("wb") as out:
        out.write(header(len(files), index, libc, flags) + index)
        for file in files:
            file.copy_to(out)
        out.write(bytes(-offset % PAGE))


def _pack(name: str, path: Path, place: Path, level: int) -> _File:
    """Compresses one file, a large one into the new file `place`.

    Bytes that do not shrink are stored: the launcher tells by the two lengths being equal.
    """
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        return _stored(os.fsencode(name), stat.S_IFLNK | 0o777, os.fsencode(path.readlink()))
    mode = stat.S_IFREG | (0o755 if found.st_mode & stat.S_IXUSR else 0o644)
    if found.st_size <= _SMALL:
        data = path.read_bytes()
        packed = b"".join(_compressed(iter([data]), level))
        return _stored(os.fsencode(name), mode, packed if len(packed) < len(data) else data, len(data))
    with path.open("rb") as source, place.open("wb") as out:
        for piece in _compressed(iter(lambda: source.read(CHUNK), b""), level):
            out.write(piece)
    kept = place if place.stat().st_size < found.st_size else path
    with kept.open("rb") as source:
        digest = hashlib.file_digest(source, "sha256").digest()
    return _File(os.fsencode(name), mode, found.st_size, kept, kept.stat().st_size, digest)


def _stored(name: bytes, mode: int, packed: bytes, size: int | None = None) -> _File:
    size = len(packed) if size is None else size
    return _File(name, mode, size, packed, len(packed), hashlib.sha256(packed).digest())


def _compressed(chunks: Iterator[bytes], level: int) -> Iterator[bytes]:
    compressor = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    for chunk in chunks:
        yield compressor.compress(chunk)
    yield compressor.flush()
