"""An ONNX file, mapped: its protobuf fields are read where they lie, without parsing the whole message.

A parsed message would hold the weights in memory two or three times and stops at 2 GiB.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from encoderfile.builder import safe_read
from encoderfile.builder.protobuf import BYTES, FIXED32, FIXED64, VARINT
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
