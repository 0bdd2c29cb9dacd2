"""Protobuf's wire format, as far as it is needed to write: keys, varints, and fields that hold bytes.

https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

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


def key(number: int, wire: int) -> bytes:
    """The key before a value: its field's number and wire type."""
    return varint(number << 3 | wire)


def number_field(number: int, value: int) -> bytes:
    """A field that holds an integer or an enum."""
    return key(number, VARINT) + varint(value)


def message(number: int, body: bytes) -> bytes:
    """A field that holds a string, bytes or a message."""
    return key(number, BYTES) + varint(len(body)) + body
