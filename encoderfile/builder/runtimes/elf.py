"""What an ELF file, a program or a library, says of itself: https://refspecs.linuxfoundation.org/elf/elf.pdf."""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

MAGIC = b"\x7fELF"

# of a 64-bit header: offset of the program headers, then size and number of them
_PROGRAM_HEADERS = struct.Struct("<32xQ14xHH")
# of one program header: type, offset in the file, bytes in the file
_PROGRAM_HEADER = struct.Struct("<I4xQ16xQ")
_INTERPRETER = 3
# of one program header: type, offset in the file, address in memory, bytes in the file
_SEGMENT = struct.Struct("<I4xQQ8xQ")
_LOAD, _DYNAMIC = 1, 2
_TAG = struct.Struct("<QQ")
_DT_NEEDED, _DT_STRTAB = 1, 5

Data = bytes | mmap.mmap


def is_elf(path: Path) -> bool:
    """Whether the file is a program or a library; a link is neither."""
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def interpreter(data: bytes) -> str:
    """The loader that a program names. Raises `ValueError` where it names none, as a static program."""
    start, length = _interpreter(data)
    return data[start : start + length].rstrip(b"\0").decode()


def with_interpreter(data: bytes, path: str) -> bytes:
    """The program with another loader; raises `ValueError` where there is no room for its path."""
    start, length = _interpreter(data)
    name = path.encode() + b"\0"
    if len(name) > length:
        raise ValueError(f"no room for {path}")
    return data[:start] + name.ljust(length, b"\0") + data[start + length :]


def _interpreter(data: bytes) -> tuple[int, int]:
    """Where the path of the loader lies, and the bytes reserved for it."""
    offset, size, count = _PROGRAM_HEADERS.unpack_from(data)
    for number in range(count):
        kind, start, length = _PROGRAM_HEADER.unpack_from(data, offset + number * size)
        if kind == _INTERPRETER:
            return start, length
    raise ValueError("the program names no loader")


def needed(data: Data) -> list[str]:
    """The libraries that a program or library says it needs (DT_NEEDED), in its order. Raises `ValueError`."""
    offset, size, count = _PROGRAM_HEADERS.unpack_from(data)
    headers = [_SEGMENT.unpack_from(data, offset + number * size) for number in range(count)]
    tags: list[tuple[int, int]] = []
    for kind, start, _, length in headers:
        if kind == _DYNAMIC:
            tags = [_TAG.unpack_from(data, at) for at in range(start, start + length, _TAG.size)]
    names = next((value for tag, value in tags if tag == _DT_STRTAB), None)
    if names is None:
        return []
    # The table of names is given by its address in memory.
    table = next(
        (
            start + names - address
            for kind, start, address, length in headers
            if kind == _LOAD and address <= names < address + length
        ),
        None,
    )
    if table is None:
        raise ValueError("the names of the libraries that it needs lie outside of it")
    starts = [table + value for tag, value in tags if tag == _DT_NEEDED]
    return [bytes(data[start : data.find(b"\0", start)]).decode() for start in starts]
