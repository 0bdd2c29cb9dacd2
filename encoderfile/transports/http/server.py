"""The HTTP server: uvicorn, told when to stop by us alone."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from encoderfile.service.under_way import UnderWay

_MAX_MESSAGE_BYTES = 1 << 16
"""Of a WebSocket message from a client; none is expected."""

IDLE_CONNECTIONS_SECONDS = 2
"""How long connections may linger once everything accepted is answered."""


def _websocket(*args: Any, **kwargs: Any) -> asyncio.Protocol:
    """The protocol of one connection; its library is imported for the first."""
    from uvicorn.protocols.websockets.wsproto_impl import WSProtocol

    return WSProtocol(*args, **kwargs)


class HttpServer(uvicorn.Server):
    """Serves an application on a socket that is already bound."""

    def __init__(self, app: ASGIApp, *, cert_file: Path | None, key_file: Path | None) -> None:
        self._app = app
        self._answers = UnderWay()
        super().__init__(
            uvicorn.Config(
                self._counted,
                interface="asgi3",
                loop="asyncio",
                lifespan="off",
                ws=cast("type[asyncio.Protocol]", _websocket),
                ws_max_size=_MAX_MESSAGE_BYTES,
                ws_per_message_deflate=False,  # frames are small, and compressing costs memory for each watcher
                log_config=None,
                access_log=False,
                server_header=False,
                backlog=2048,
                timeout_graceful_shutdown=IDLE_CONNECTIONS_SECONDS,
                ssl_certfile=cert_file,
                ssl_keyfile=key_file,
            )
        )
        self._listening = asyncio.Event()

    async def start(self, bound: socket.socket) -> asyncio.Task[None]:
        """Begins to answer on `bound`; the task ends when the server does."""
        task = asyncio.create_task(self.serve(sockets=[bound]), name="http")
        listening = asyncio.create_task(self._listening.wait())
        await asyncio.wait({task, listening}, return_when=asyncio.FIRST_COMPLETED)
        return task

    async def finish(self, seconds: float) -> bool:
        """Waits until every answer that was begun is sent; False when `seconds` were not enough."""
        return await self._answers.ended(seconds)

    async def _counted(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with self._answers:
            await self._app(scope, receive, send)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals have one owner, the runtime: uvicorn would raise them again when it ends."""
        yield
