"""A WebSocket client that reads frames, on the same library that the server uses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, RejectConnection, Request, TextMessage

from support.clients import PATIENCE


class ClosedError(Exception):
    """The server closed the connection, or refused it: the code or the status."""


class Watcher:
    """One connection. Use on the event loop."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._socket = WSConnection(ConnectionType.CLIENT)
        self._text = ""

    async def _say(self, event: Any) -> None:
        self._writer.write(self._socket.send(event))
        await self._writer.drain()

    async def _events(self) -> list[Any]:
        found = list(self._socket.events())
        while not found:
            data = await asyncio.wait_for(self._reader.read(65536), PATIENCE)
            self._socket.receive_data(data or None)
            found = list(self._socket.events())
        return found

    async def open(self, host: str, path: str, headers: Sequence[tuple[bytes, bytes]]) -> None:
        await self._say(Request(host=host, target=path, extra_headers=list(headers)))
        self._waiting = await self._events()
        first = self._waiting.pop(0)
        if isinstance(first, RejectConnection):
            raise ClosedError(first.status_code)
        assert isinstance(first, AcceptConnection), first

    async def frame(self) -> dict[str, Any]:
        """The next frame. Raises `ClosedError`."""
        while True:
            for event in self._waiting or await self._events():
                self._waiting = []
                if isinstance(event, CloseConnection):
                    raise ClosedError(event.code)
                if isinstance(event, TextMessage):
                    self._text += event.data
                    if event.message_finished:
                        text, self._text = self._text, ""
                        found: dict[str, Any] = json.loads(text)
                        return found

    async def say(self, text: str) -> None:
        await self._say(TextMessage(text))


@asynccontextmanager
async def watching(
    url: str, path: str = "/ws/status", headers: Sequence[tuple[bytes, bytes]] = (), named: str | None = None
) -> AsyncIterator[Watcher]:
    """A connection to the server at `url`, `named` so in `Host`. Raises `ClosedError` when it is refused."""
    host, port = urlsplit(url).hostname, urlsplit(url).port
    reader, writer = await asyncio.open_connection(host, port)
    try:
        watcher = Watcher(reader, writer)
        await watcher.open(named or f"{host}:{port}", path, headers)
        yield watcher
    finally:
        writer.close()
        await writer.wait_closed()
