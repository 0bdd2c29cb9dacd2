"""Bodies in msgpack and JSON, and which of the two a client wants.

Arrays leave as msgpack-numpy writes them: a map of five keys, which are bytes. Nothing of that kind is read:
requests hold texts, and decoding arrays from a stranger can run a stranger's code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgpack
import numpy as np
from starlette.requests import Request

import encoderfile
from encoderfile.errors import InputError
from encoderfile.service.json_chunks import Chunks, json_chunks
from encoderfile.transports.http.dialect import JSON, read_json

MSGPACK = "application/msgpack"

MAX_CONTAINERS = 1 << 17
"""Lists and maps of one msgpack body, at most: each costs one byte to send and sixty to hold."""
MAX_LENGTH = 1 << 16
"""Entries of one of them, at most."""

SERVER_VERSION = f"encoderfile-{encoderfile.__version__}"
"""Not of the form 1.2.3: clients would compare that with their own version, and warn."""


def wants_msgpack(accept: str) -> bool:
    """msgpack unless the client asks for JSON and not for msgpack; as SIE, whatever the q-values say."""
    accept = accept.lower()
    return _names_msgpack(accept) or "application/json" not in accept


def read(request: Request, data: bytes) -> dict[str, Any]:
    """The body, which is msgpack where the content type says so and JSON otherwise, and always an object.

    Raises `InputError`.
    """
    is_packed = _names_msgpack(request.headers.get("content-type", "").lower())
    decoded = unpack(data) if is_packed else read_json(data)
    if not isinstance(decoded, dict):
        raise InputError("the body should be an object")
    return decoded


def _names_msgpack(header: str) -> bool:
    return "application/msgpack" in header or "application/x-msgpack" in header


def unpack(data: bytes) -> object:
    """Decodes msgpack to plain values, within limits; types that msgpack does not know stay as they are."""
    left = MAX_CONTAINERS

    def count(container: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise InputError(f"the body holds more than {MAX_CONTAINERS} lists and maps")
        return container

    try:
        return msgpack.unpackb(
            data, object_hook=count, list_hook=count, max_array_len=MAX_LENGTH, max_map_len=MAX_LENGTH
        )
    except InputError:
        raise
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as error:
        reason = str(error) or type(error).__name__
        raise InputError(f"the body is not valid msgpack ({reason})") from error


def packed(content: Mapping[str, Any]) -> Iterator[bytes]:
    """Plain values and arrays as msgpack, in chunks: the lists among `content` entry by entry."""
    packer = msgpack.Packer(default=_array)
    yield packer.pack_map_header(len(content))
    for name, value in content.items():
        yield packer.pack(name)
        if isinstance(value, list):
            yield packer.pack_array_header(len(value))
            yield from map(packer.pack, value)
        else:
            yield packer.pack(value)


def _array(value: object) -> dict[bytes, Any]:
    if not isinstance(value, np.ndarray):
        raise TypeError(f"{type(value).__name__} cannot be packed")
    return {
        b"nd": True,
        b"type": value.dtype.str,
        b"kind": b"",
        b"shape": value.shape,
        b"data": value.tobytes(),
    }


def write(request: Request, content: Mapping[str, Any]) -> tuple[Chunks, str]:
    """The content in the form that the client wants, the lists in it written entry by entry."""
    if wants_msgpack(request.headers.get("accept", "")):
        return packed(content), MSGPACK
    entries = {name: iter(value) if isinstance(value, list) else value for name, value in content.items()}
    return json_chunks(entries), JSON
