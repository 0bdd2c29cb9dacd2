"""Packs the frozen runtime's folder, in the layout of encoderfile/pack.py."""

from __future__ import annotations

import hashlib
import os
import stat
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from encoderfile.container import PAGE
from encoderfile.pack import ENTRY, HEADER, header


@dataclass(frozen=True, slots=True)
class _File:
    path: bytes
    mode: int
    size: int
    packed: bytes


def write(folder: Path, target: Path, libc: str) -> None:
    """Packs `folder` into `target`; `libc` is the oldest glibc it runs with. The same folder gives the same bytes."""
    paths = [path for path in folder.rglob("*") if path.is_symlink() or path.is_file()]
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # zlib releases the GIL
        files = list(pool.map(lambda path: _pack(path, path.relative_to(folder)), paths))
    files.sort(key=lambda file: file.path)  # the launcher finds a path by binary search
    length = sum(ENTRY.size + len(file.path) + 1 for file in files)
    offset = HEADER.size + length
    index = b""
    for file in files:
        digest = hashlib.sha256(file.packed).digest()
        index += ENTRY.pack(offset, len(file.packed), file.size, file.mode, len(file.path), digest)
        index += file.path + b"\0"
        offset += len(file.packed)
    with target.open("wb") as out:
        out.write(header(len(files), index, libc) + index)
        for file in files:
            out.write(file.packed)
        out.write(bytes(-offset % PAGE))


def _pack(path: Path, name: Path) -> _File:
    if path.is_symlink():
        data = os.fsencode(path.readlink())
        return _File(os.fsencode(name), stat.S_IFLNK | 0o777, len(data), data)
    data = path.read_bytes()
    mode = stat.S_IFREG | (0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)
    compressor = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = compressor.compress(data) + compressor.flush()
    # Bytes that do not shrink are stored; the launcher tells by the two lengths being equal.
    return _File(os.fsencode(name), mode, len(data), packed if len(packed) < len(data) else data)
