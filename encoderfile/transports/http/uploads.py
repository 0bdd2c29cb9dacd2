"""The bodies of requests: bounded all together, and read to a bounded end where the application does not read them.

A socket that is closed while data waits in it resets the connection, and the client loses the answer that he was
given. So what nobody wanted (of a body over the limit, of a request without a key) is read and thrown away.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from encoderfile.errors import QueueFullError

ALWAYS_BYTES = 64 << 10
"""Of each body that are taken whatever the others have: large bodies do not keep out the small ones."""

DISCARD_BYTES = 64 << 20
"""Thrown away of one body, at most."""

DISCARD_SECONDS = 5.0
"""How long what nobody wants is read before the answer, and after it."""

LATE_SECONDS = 1.0
"""The same after an answer that nothing came, or too slowly."""

_STOPPED_COMING = 408


class Uploads:
    """Counts the bodies of all requests that are not answered, and answers only once the body was read."""

    def __init__(self, app: ASGIApp, most_bytes: int) -> None:
        """`most_bytes` is what the bodies of all requests may have together, beside the first `ALWAYS_BYTES` of each.

        What would go beyond is refused with `QueueFullError`.
        """
        self._app = app
        self._most_bytes = most_bytes
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        upload = _Upload(self, scope, receive, send)
        try:
            await self._app(scope, upload.receive, upload.send)
        finally:
            self._bytes -= upload.counted_bytes

    def count(self, size: int) -> None:
        """Takes `size` bytes more. Raises `QueueFullError` where there is no place for them."""
        if self._bytes + size > self._most_bytes:
            raise QueueFullError(
                f"the requests that are under way have {self._most_bytes} bytes together, the most that is kept; "
                "try again in a moment"
            )
        self._bytes += size


class _Upload:
    """The body of one request."""

    __slots__ = (
        "_all",
        "_asked",
        "_bytes",
        "_ended",
        "_late",
        "_lingers",
        "_receive",
        "_scope",
        "_send",
        "counted_bytes",
    )

    def __init__(self, uploads: Uploads, scope: Scope, receive: Receive, send: Send) -> None:
        self._all = uploads
        self._scope = scope
        self._receive = receive
        self._send = send
        self._bytes = 0
        self._asked = False
        self._ended = False
        self._late = False
        self._lingers = False
        self.counted_bytes = 0
        """What this body takes of all bodies' bytes."""

    async def receive(self) -> Message:
        self._asked = True
        message = await self._next()
        counted = max(0, self._bytes - ALWAYS_BYTES) - self.counted_bytes
        if counted:
            self._all.count(counted)
            self.counted_bytes += counted
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if not self._ended and self._has_body():
                message = await self._end_of_body(message)
        elif self._lingers and not message.get("more_body", False):
            # The client has its whole answer now; what he goes on sending must not meet a closed door.
            await self._send({**message, "more_body": True})
            await self._discard(LATE_SECONDS if self._late else DISCARD_SECONDS)
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await self._send(message)

    async def _end_of_body(self, start: Message) -> Message:
        """The beginning of the answer, once the body was read; it says so where the connection ends with it."""
        self._late = start["status"] == _STOPPED_COMING
        invited = self._asked or self._header(b"expect") is None
        length = self._header(b"content-length") or b""
        if not self._late and invited and (not length.isdigit() or int(length) <= DISCARD_BYTES):
            await self._discard(DISCARD_SECONDS)
        if self._ended:
            return start
        self._lingers = True
        return {**start, "headers": [*start.get("headers", ()), (b"connection", b"close")]}

    async def _discard(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self._ended and self._bytes < DISCARD_BYTES:
                    await self._next()

    async def _next(self) -> Message:
        message = await self._receive()
        self._ended = message["type"] != "http.request" or not message.get("more_body", False)
        self._bytes += len(message.get("body", b""))
        return message

    def _has_body(self) -> bool:
        return (self._header(b"content-length") or self._header(b"transfer-encoding")) is not None

    def _header(self, name: bytes) -> bytes | None:
        return next((value for each, value in self._scope["headers"] if each == name), None)
