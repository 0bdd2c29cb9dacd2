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

from encoderfile.container import PAGE

# magic, id, entries, bytes of the index, oldest glibc
_HEADER = struct.Struct("<8s32sII16s")
# offset from the start of the pack, packed bytes, bytes, mode, crc32, length of the path, nothing
_ENTRY = struct.Struct("<QQQIIII")
_MAGIC = b"ENCPACK\x01"


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
    offset = _HEADER.size + index_length
    index = b""
    for file in files:
        index += _ENTRY.pack(offset, len(file.packed), file.size, file.mode, file.crc, len(file.path), 0) + file.path
        offset += len(file.packed)
    digest = hashlib.sha256(index)
    for file in files:
        digest.update(file.packed)
    with target.open("wb") as out:
        identity = digest.hexdigest()[:32].encode()
        out.write(_HEADER.pack(_MAGIC, identity, len(files), index_length, libc.encode()) + index)
        for file in files:
            out.write(file.packed)
        out.write(bytes(-offset % PAGE))


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
