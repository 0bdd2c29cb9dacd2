"""An ONNX file, mapped: its protobuf fields are read where they lie, and its external data is found.

A parsed message would hold the weights in memory two or three times and stops at 2 GiB. The wire format:
https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from encoderfile.builder import safe_read
from encoderfile.errors import ModelError


class Field(NamedTuple):
    """One field of a message: its number and wire type, and the positions in the file where it and its value lie."""

    number: int
    wire: int
    first: int
    start: int
    end: int


class OnnxFile:
    """The bytes of an ONNX file and a reader of its fields.

    Raises `ModelError` when the file is empty, truncated, damaged or a Git LFS pointer.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with safe_read.opened(path) as file:
                self.data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:
            raise ModelError(f"{path.name} is empty: export the model again") from None
        except OSError as error:
            raise ModelError(f"cannot read {path}: {error.strerror}") from error
        safe_read.refuse_lfs_pointer(self.data[:40], path.name)

    def fields(self, start: int, end: int) -> Iterator[Field]:
        """The fields of the message from `start` to `end`, in order."""
        position = start
        while position < end:
            first = position
            tag, position = self.varint(position, end)
            number, wire = tag >> 3, tag & 7
            if wire == VARINT:
                value = position
                _, position = self.varint(position, end)
            elif wire == BYTES:
                length, value = self.varint(position, end)
                position = value + length
            elif wire in (FIXED64, FIXED32):
                value = position
                position += 8 if wire == FIXED64 else 4
            else:
                raise self.broken()
            if position > end or number == 0:
                raise self.broken()
            yield Field(number, wire, first, value, position)

    def varint(self, position: int, end: int) -> tuple[int, int]:
        """The number that begins at `position`, and the position behind it."""
        result = shift = 0
        while position < end and shift < 70:
            byte = self.data[position]
            position += 1
            result |= (byte & 0x7F) << shift
            if byte < 0x80:
                return result, position
            shift += 7
        raise self.broken()

    def text(self, field: Field) -> str:
        """The value of a string field."""
        try:
            return self.data[field.start : field.end].decode()
        except UnicodeDecodeError:
            raise self.broken() from None

    def broken(self) -> ModelError:
        """The error for a file that is not what it should be."""
        return ModelError(
            f"{self.path.name} is not a complete ONNX model ({len(self.data)} bytes, truncated or damaged): "
            "copy it or export it again"
        )


VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""Wire types: how the value behind a key is stored."""


def varint(value: int) -> bytes:
    """`value`, at least 0, seven bits a byte, lowest first."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number_field(number: int, value: int) -> bytes:
    """A field that holds an integer or an enum."""
    return varint(number << 3 | VARINT) + varint(value)


def message(number: int, body: bytes) -> bytes:
    """A field that holds a string, bytes or a message."""
    return varint(number << 3 | BYTES) + varint(len(body)) + body


@dataclass(frozen=True, slots=True)
class Tensor:
    """One large tensor: its name in the graph and where its raw little-endian bytes lie on disk."""

    name: str
    source: Path
    offset: int
    length: int


def external_tensor(file: OnnxFile, name: str, entries: Mapping[str, str], *, is_empty: bool) -> Tensor:
    """The tensor `name` of `file`, from its external data's `location`, `offset` and `length`.

    Raises `ModelError` for a location outside the model's folder and for a file that is missing or too short.
    """
    location = entries.get("location", "")
    folder = file.path.parent
    unprintable = not location.isprintable()  # no exporter writes one, and a zero byte cannot be in a file's name
    if not location or unprintable or Path(location).is_absolute() or ".." in Path(location).parts:
        raise ModelError(
            f"{file.path.name} keeps the tensor {name} in {location!r}, outside the model's folder: "
            "export the model again with its data beside it"
        )
    root = folder.resolve()
    try:
        source = safe_read.inside(folder / location, root.parent if root.name == "onnx" else root)  # hubs' layout
        size = source.stat().st_size if source.is_file() else None
    except OSError as error:
        raise ModelError(f"cannot read {folder / location}: {error.strerror}") from error
    if size is None:
        raise ModelError(
            f"{file.path.name} keeps its weights in {location}, which is missing: "
            f"copy {location} into the folder beside {file.path.name}"
        )
    try:
        offset = int(entries.get("offset", "") or 0)
        # As onnx reads it (external_data_helper.py): no length, or 0, is the rest of the file.
        length = int(entries.get("length", "") or 0) or (0 if is_empty else size - offset)
    except ValueError:
        raise file.broken() from None
    if offset < 0 or length < 0 or offset + length > size:
        with source.open("rb") as data:
            safe_read.refuse_lfs_pointer(data.read(40), location)
        raise ModelError(
            f"{location} has {size} bytes and {file.path.name} needs {offset + length}: "
            "the file is truncated, copy it or export the model again"
        )
    return Tensor(name, source, offset, length)
