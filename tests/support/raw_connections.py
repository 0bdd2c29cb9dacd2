"""Plain TCP connections to an HTTP server, for what no client library would send."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from support.clients import PATIENCE


@asynccontextmanager
async def raw_connection(
    url: str, *, limit: int = 1 << 16
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to the server at `url`; `limit` is the buffer of the reader, in bytes."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=limit)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def rest(reader: asyncio.StreamReader) -> bytes:
    """Everything until the server closes, or resets, the connection."""
    said = b""
    try:
        while data := await asyncio.wait_for(reader.read(1 << 16), PATIENCE):
            said += data
    except ConnectionError:
        pass
    return said


async def answer(url: str, *chunks: bytes) -> bytes:
    """Everything that the server says to a client that sends `chunks`, until the connection ends."""
    async with raw_connection(url) as (reader, writer):
        for chunk in chunks:
            writer.write(chunk)
            await writer.drain()
        return await rest(reader)
