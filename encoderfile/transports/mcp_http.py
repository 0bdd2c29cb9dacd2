"""MCP at `/mcp` of the HTTP port: the SDK's session manager behind a route. Stateless, plain JSON.

The application around it checks who may ask.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Message, Receive, Scope, Send

from encoderfile.service.service import Service
from encoderfile.transports.mcp_server import build

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server


class McpHttp:
    """`/mcp` on the HTTP port: loaded on the first call or in the background, whichever comes first."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._loading = asyncio.Lock()
        self._handle: Callable[[Scope, Receive, Send], Awaitable[None]] | None = None
        self._stop = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    def routes(self) -> list[BaseRoute]:
        """The one route; POST alone, because stateless servers have no stream to GET."""
        return [Route("/mcp", self.answer, methods=["POST"])]

    async def answer(self, request: Request) -> Response:
        """One JSON-RPC message in, one out."""
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return PlainTextResponse("Expected request with `Content-Type: application/json`", 415)
        body = await request.body()
        await self.load()
        return _Handled(self._handle, body)

    async def load(self) -> None:
        """Imports the SDK in a thread and starts its session manager, once."""
        async with self._loading:
            if self._handle is not None:
                return
            server = await asyncio.to_thread(build, self._service)
            started = asyncio.Event()
            self._running = asyncio.create_task(self._run(server, started), name="mcp")
            await started.wait()

    async def _run(self, server: Server[Any], started: asyncio.Event) -> None:
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

        # The limit of bodies is that of the application around this route.
        manager = StreamableHTTPSessionManager(
            server, json_response=True, stateless=True, max_request_body_size=sys.maxsize
        )
        async with manager.run():
            self._handle = manager.handle_request
            started.set()
            await self._stop.wait()

    async def stop(self) -> None:
        """Ends the session manager."""
        self._stop.set()
        if self._running is not None:
            await asyncio.gather(self._running, return_exceptions=True)


class _Handled(Response):
    """Hands the connection to the SDK's own ASGI handler, with the body that was read already."""

    def __init__(self, handle: Callable[[Scope, Receive, Send], Awaitable[None]] | None, body: bytes) -> None:
        super().__init__()
        self._handle = handle
        self._messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def receive_again() -> Message:
            return self._messages.pop() if self._messages else await receive()

        assert self._handle is not None
        await self._handle(scope, receive_again, send)
