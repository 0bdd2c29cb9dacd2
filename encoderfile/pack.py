"""The pack: the frozen runtime's folder as one compressed run of bytes, which the launcher unpacks.

    [header][index: one entry a file, each followed by its path and a zero byte][files, deflated][zeros to a page]

The layout is that of `struct header` and `struct entry` in build/launcher/pack.h; builder/runtimes/pack_writer.py
writes it. The id, which the unpacked folder is called by, is made of header and index, and the index holds the
checksum of each file: so whatever bears an id has one content.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from encoderfile.container import PAGE, Container, Slice, hash_range
from encoderfile.errors import ContainerError
from encoderfile.manifest import PACKS

MAGIC = b"ENCPACK\x02"
# magic, id (hex digits), entries, bytes of the index, oldest glibc, flags
HEADER = struct.Struct("<8s32sII12sI")
# offset from the start of the pack, packed bytes, bytes, mode, length of the path, sha256 of the packed bytes
ENTRY = struct.Struct("<QQQII32s")

# How files of encoderfile 0.1.0 hold their runtime: offset, packed bytes, bytes, mode, crc32, length of the path
_MAGIC_BEFORE = b"ENCPACK\x01"
_ENTRY_BEFORE = struct.Struct("<QQQIIII")

SBOM_PATH = "_internal/sbom.cdx.json"
"""The file in the pack that lists what the runtime is made of (CycloneDX JSON)."""
COMPONENTS_PATH = "components.json"
"""The file in a pack of other libraries that lists their packages (components of a CycloneDX SBOM, JSON)."""
FACTS_PATH = "_internal/runtime.json"
"""The file that says what the runtime is: version, device, machine, its C library, versions of packages."""

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the runtime; lengths in bytes, `offset` from the start of the pack."""

    path: str
    offset: int
    packed: int
    size: int
    mode: int
    sha256: bytes = b""


USES_DRIVER = 1
"""A flag: the runtime loads the machine's GPU driver, so it prefers the machine's C library."""


def header(entries: int, index: bytes, libc: str, flags: int = 0) -> bytes:
    """The header of a pack with this index: its id is half of the sha256 of all other bytes of header and index."""
    fields = (entries, len(index), libc.encode(), flags)
    return HEADER.pack(MAGIC, _identity(HEADER.pack(MAGIC, b"", *fields), index), *fields)


def _identity(header: bytes, index: bytes) -> bytes:
    return hashlib.sha256(header[:8] + header[40:] + index).hexdigest()[:32].encode()


def entries(pack: Slice) -> tuple[Entry, ...]:
    """What is in a pack. Raises `ContainerError` when header or index are damaged."""
    with pack.path.open("rb") as source:
        first = os.pread(source.fileno(), HEADER.size, pack.offset)
        if len(first) < HEADER.size:
            raise _damaged(pack)
        magic, name, count, length, _, _ = HEADER.unpack(first)
        index = os.pread(source.fileno(), min(length, pack.length), pack.offset + HEADER.size)
    older = magic == _MAGIC_BEFORE
    if not older and (magic != MAGIC or name != _identity(first, index)):
        raise _damaged(pack)
    try:
        found = tuple(_entries(index, count, older))
    except struct.error as error:
        raise _damaged(pack) from error
    if any(entry.offset + entry.packed > pack.length for entry in found):
        raise _damaged(pack)
    return found


def read(pack: Slice, name: str) -> bytes:
    """One file of a pack. Raises `ContainerError` when the pack has none of that name, or is damaged."""
    for entry in entries(pack):
        if entry.path == name:
            return b"".join(_content(pack, entry))
    raise ContainerError(f"{pack.path} holds no {name} in its runtime")


def sbom_of(file: Container) -> str:
    """What a file is made of beside its model, CycloneDX JSON: its runtime, and what it unpacks beside that.

    Raises `ContainerError`.
    """
    text = read(file.pack, SBOM_PATH).decode()
    artifacts = [each for name in PACKS if (each := file.manifest.artifact(name)) is not None]
    if not artifacts:
        return text
    document = json.loads(text)
    for artifact in artifacts:
        document["components"] += json.loads(read(file.slice_of(artifact), COMPONENTS_PATH))
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def verify(pack: Slice) -> None:
    """Reads the frozen runtime once and compares all checksums. Raises `ContainerError`."""
    end = 0
    with pack.path.open("rb") as source:
        for entry in entries(pack):
            digest = hashlib.sha256()
            hash_range(source.fileno(), pack.offset + entry.offset, entry.packed, digest)
            if digest.digest() != entry.sha256:
                raise _damaged(pack)
            end = entry.offset + entry.packed
        padding = pack.length - end
        if not 0 <= padding < PAGE or os.pread(source.fileno(), padding, pack.offset + end) != bytes(padding):
            raise _damaged(pack)


def compare(pack: Slice, folder: Path) -> None:
    """Compares an unpacked runtime, byte for byte, with the pack it was unpacked from.

    Raises `ContainerError`, which names a file that was changed, is missing, or does not belong to it.
    """
    known = {entry.path: entry for entry in entries(pack)}
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()}
    odd = sorted(found ^ known.keys()) or sorted(
        path for path, entry in known.items() if not _is_unpacked(pack, entry, folder / path)
    )
    if odd:
        raise ContainerError(
            f"{folder / odd[0]} differs from {pack.path}: remove {folder}, and the next start unpacks it again"
        )


def _entries(index: bytes, count: int, older: bool) -> Iterator[Entry]:
    layout, start = _ENTRY_BEFORE if older else ENTRY, 0
    for _ in range(count):
        offset, packed, size, mode, *rest = layout.unpack_from(index, start)
        length, digest = (rest[1], b"") if older else rest
        start += layout.size
        yield Entry(os.fsdecode(index[start : start + length]), offset, packed, size, mode, digest)
        start += length if older else length + 1


def _content(pack: Slice, entry: Entry) -> Iterator[bytes]:
    """The file's content, decompressed, in chunks. Raises `ContainerError` when it is damaged."""
    inflate = zlib.decompressobj(-zlib.MAX_WBITS) if entry.packed != entry.size else None
    try:
        with pack.path.open("rb") as source:
            source.seek(pack.offset + entry.offset)
            left = entry.packed
            while left and (data := source.read(min(left, _CHUNK))):
                left -= len(data)
                yield inflate.decompress(data) if inflate else data
    except zlib.error as error:
        raise _damaged(pack) from error


def _is_unpacked(pack: Slice, entry: Entry, path: Path) -> bool:
    content = _content(pack, entry)
    if stat.S_ISLNK(entry.mode) or path.is_symlink():
        return stat.S_ISLNK(entry.mode) and path.is_symlink() and os.fsencode(path.readlink()) == b"".join(content)
    with path.open("rb") as file:
        return all(file.read(len(chunk)) == chunk for chunk in content) and not file.read(1)


def _damaged(pack: Slice) -> ContainerError:
    return ContainerError(f"{pack.path} is damaged: the checksum of its runtime differs; copy the file again")
