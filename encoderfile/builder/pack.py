"""The pack: the frozen runtime's folder as one compressed run of bytes, which the launcher unpacks.

    [header][index: one entry a file, each followed by its path][files, deflated]

The layout is that of `struct header` and `struct entry` in build/launcher/launcher.c.
"""

from __future__ import annotations

import hashlib
import os
import stat
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from encoderfile.container import PACK_HEADER, PACK_MAGIC, PAGE, Slice
from encoderfile.errors import ContainerError

# offset from the start of the pack, packed bytes, bytes, mode, crc32, length of the path, nothing
_ENTRY = struct.Struct("<QQQIIII")


@dataclass(frozen=True, slots=True)
class _File:
    path: bytes
    mode: int
    size: int
    crc: int
    packed: bytes


def write(folder: Path, target: Path, libc: str) -> None:
    """Packs `folder` into `target`; `libc` is the oldest glibc it runs with. The same folder gives the same bytes."""
    paths = sorted(path for path in folder.rglob("*") if path.is_symlink() or path.is_file())
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # zlib releases the lock
        files = list(pool.map(lambda path: _pack(path, path.relative_to(folder)), paths))
    index_length = sum(_ENTRY.size + len(file.path) for file in files)
    offset = PACK_HEADER.size + index_length
    index = b""
    for file in files:
        index += _ENTRY.pack(offset, len(file.packed), file.size, file.mode, file.crc, len(file.path), 0) + file.path
        offset += len(file.packed)
    padding = bytes(-offset % PAGE)
    digest = hashlib.sha256(index)
    for data in (*(file.packed for file in files), padding):
        digest.update(data)
    with target.open("wb") as out:
        identity = digest.hexdigest()[:32].encode()
        header = (PACK_MAGIC, identity, len(files), index_length, libc.encode(), zlib.crc32(index))
        out.write(PACK_HEADER.pack(*header) + index)
        for data in (*(file.packed for file in files), padding):
            out.write(data)


def read(pack: Slice, name: str) -> bytes:
    """One file of a pack. Raises `ContainerError` when the pack has none of that name."""
    with pack.path.open("rb") as source:
        source.seek(pack.offset)
        _, _, entries, length, _, _ = PACK_HEADER.unpack(source.read(PACK_HEADER.size))
        index = source.read(length)
        position = 0
        for _ in range(entries):
            offset, packed, size, _, _, path_length, _ = _ENTRY.unpack_from(index, position)
            position += _ENTRY.size + path_length
            if index[position - path_length : position] == os.fsencode(name):
                source.seek(pack.offset + offset)
                data = source.read(packed)
                return data if packed == size else zlib.decompress(data, -zlib.MAX_WBITS)
    raise ContainerError(f"{pack.path} holds no {name} in its runtime")


def _pack(path: Path, name: Path) -> _File:
    if path.is_symlink():
        data, mode = os.fsencode(path.readlink()), stat.S_IFLNK | 0o777
    else:
        data = path.read_bytes()
        mode = stat.S_IFREG | (0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)
    compressor = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = compressor.compress(data) + compressor.flush()
    # Bytes that do not shrink are stored; the launcher tells by the two lengths being equal.
    return _File(os.fsencode(name), mode, len(data), zlib.crc32(data), packed if len(packed) < len(data) else data)
