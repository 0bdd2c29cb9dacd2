"""The trace that a request belongs to: W3C `traceparent` and `X-Trace-ID`, in and out, and in our log lines."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from encoderfile.service.trace import HEADER, current, trace_id


class TraceMiddleware:
    """Gives every answer its `X-Trace-ID`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        found = trace_id(Headers(scope=scope))

        async def send_with_header(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = found
            await send(message)

        token = current.set(found)
        try:
            await self._app(scope, receive, send_with_header)
        finally:
            current.reset(token)
