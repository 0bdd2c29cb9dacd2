"""Connections without a client library, for what no library would send."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from support.clients import PATIENCE


@asynccontextmanager
async def bare(url: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to the server at `url`."""
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
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


async def answer(url: str, *pieces: bytes) -> bytes:
    """Everything that the server says to a client who sends `pieces`, until the connection ends."""
    async with bare(url) as (reader, writer):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        return await rest(reader)
