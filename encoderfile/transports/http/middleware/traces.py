"""The trace that a request belongs to: W3C `traceparent` and `X-Trace-ID`, in and out, and in our log lines."""

from __future__ import annotations

import re
import secrets

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from encoderfile.service.trace import current

HEADER = "X-Trace-ID"

# version, trace id, id of the caller's span, flags; later versions may add to it. https://www.w3.org/TR/trace-context
_TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")
_TRACE_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")


def trace_id(headers: Headers) -> str:
    """The caller's trace id, or a new one. A `traceparent` that breaks its rules counts as none."""
    parent = _TRACEPARENT.fullmatch(headers.get("traceparent", "").strip())
    if parent and not (parent[1] == "00" and parent[3]):
        return parent[2]
    named = headers.get(HEADER, "").strip().lower()
    return named if _TRACE_ID.fullmatch(named) else secrets.token_hex(16)


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
