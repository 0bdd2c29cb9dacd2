"""The HTTP server: uvicorn, told when to stop by us alone."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from encoderfile.service import access_log
from encoderfile.service.in_flight import InFlight
from encoderfile.service.large_answers import sending
from encoderfile.transports.http.listener import Listener
from encoderfile.transports.http.probes import OPEN_PATHS
from encoderfile.transports.http.protocol import Connections, HttpProtocol

_MAX_MESSAGE_BYTES = 1 << 16
"""Of a WebSocket message from a client; none is expected."""

IDLE_CONNECTIONS_SECONDS = 2
"""How long connections may linger once everything accepted is answered."""

_LOOK_SECONDS = 0.5
"""Between two looks at what is being uploaded to a server that stops."""

_FOR_PROBES = 64
"""Connections over the maximum: health checks are answered on them, and other requests refused."""


_full = PlainTextResponse(
    "too many connections, all with a request in flight; try again in a moment",
    503,
    {"Retry-After": "1", "Connection": "close"},
)


def _websocket(*args: Any, **kwargs: Any) -> asyncio.Protocol:
    """The protocol of one connection; its library is imported for the first."""
    from uvicorn.protocols.websockets.wsproto_impl import WSProtocol

    return WSProtocol(*args, **kwargs)


class HttpServer(uvicorn.Server):
    """Serves an application on a socket that is already bound."""

    def __init__(
        self, app: ASGIApp, *, cert_file: Path | None, key_file: Path | None, max_connections: int = 1024
    ) -> None:
        """`max_connections` may be open; one more closes that which has waited longest for a request."""
        self._app = app
        self._max_connections = max_connections
        self._answers = InFlight()
        super().__init__(
            uvicorn.Config(
                self._counted,
                interface="asgi3",
                loop="asyncio",
                http=HttpProtocol,
                lifespan="off",
                ws=cast("type[asyncio.Protocol]", _websocket),
                ws_max_size=_MAX_MESSAGE_BYTES,
                ws_per_message_deflate=False,  # frames are small, and compressing costs memory for each watcher
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=IDLE_CONNECTIONS_SECONDS,
                ssl_certfile=cert_file,
                ssl_keyfile=key_file,
            )
        )
        self.server_state = self._connections = Connections()
        self._listening = asyncio.Event()

    @property
    def open_connections(self) -> int:
        """Those that wait for a request included."""
        return len(self._connections.connections)

    async def start(self, bound: socket.socket) -> asyncio.Task[None]:
        """Begins to answer on `bound`; the task ends when the server does."""
        task = asyncio.create_task(self.serve(sockets=[bound]), name="http")
        listening = asyncio.create_task(self._listening.wait())
        await asyncio.wait({task, listening}, return_when=asyncio.FIRST_COMPLETED)
        return task

    async def finish(self, seconds: float) -> bool:
        """Waits until every answer that was begun is sent, and read as far as its client reads.

        What is still being uploaded was not accepted, and is refused. False when `seconds` were not enough.
        """
        until = time.monotonic() + seconds
        while True:
            # Again and again, for bodies that begin to come now would else be waited for to the end.
            self._connections.refuse_unfinished("the server is stopping and takes no new requests")
            left = until - time.monotonic()
            if await self._answers.ended(max(0.0, min(left, _LOOK_SECONDS))):
                return await self._connections.read_by(until)
            if left <= _LOOK_SECONDS:
                return False

    async def _counted(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._is_full(scope):
            refusal = WebSocketClose(1013) if scope["type"] == "websocket" else _full
            await refusal(scope, receive, send)
            access_log.write_refused(503, scope.get("client"), scope["path"])
        elif scope["type"] == "http":
            with self._answers, sending():
                await self._app(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _is_full(self, scope: Scope) -> bool:
        """Whether this connection is over the maximum, and no idle one can be closed for it."""
        over = len(self._connections.connections) > self._max_connections
        return over and scope["path"] not in OPEN_PATHS and not self._connections.make_room()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to accept. In uvicorn's place, whose listeners know no limit."""
        await self.lifespan.startup()
        assert sockets is not None
        config, self.servers = self.config, []
        self._listeners = [
            Listener(
                bound,
                lambda: HttpProtocol(config, self._connections, {}),
                self._connections,
                most=self._max_connections,
                spare=_FOR_PROBES,
                tls=config.ssl,
            )
            for bound in sockets
        ]
        self.started = True
        self._listening.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listener in self._listeners:
            listener.close()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals have one owner, the runtime: uvicorn would raise them again when it ends."""
        yield
