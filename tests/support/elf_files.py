"""The smallest files that say of themselves what a library says: its ELF header and what it needs."""

import struct
from collections.abc import Sequence

_CODE, _HEADER = 64, 56
_ADDRESS = 0x1000
"""Where the file would be in memory: addresses in it differ from places in the file."""


def library(needed: Sequence[str] = (), content: bytes = b"") -> bytes:
    """A library that needs those `needed`; `content` follows, as its code and data would."""
    names = b"\0" + b"".join(name.encode() + b"\0" for name in needed)
    starts = [names.index(b"\0" + name.encode() + b"\0") + 1 for name in needed]
    table = _CODE + 2 * _HEADER
    dynamic = table + len(names)
    tags = [*((1, start) for start in starts), (5, _ADDRESS + table), (0, 0)]
    body = b"".join(struct.pack("<QQ", *tag) for tag in tags)
    size = dynamic + len(body) + len(content)
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    head = ident + struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, _CODE, 0, 0, 64, _HEADER, 2, 0, 0, 0)
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, _ADDRESS, _ADDRESS, size, size, 4096)
    dyn = struct.pack("<IIQQQQQQ", 2, 6, dynamic, _ADDRESS + dynamic, _ADDRESS + dynamic, len(body), len(body), 8)
    return head + load + dyn + names + body + content
