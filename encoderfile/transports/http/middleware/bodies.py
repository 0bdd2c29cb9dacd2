"""The bodies of requests: each bounded in size and time, all bounded together, and none left unread behind an answer.

A socket that is closed while data waits in it resets the connection, and the client loses the answer that it was
given. So the rest of a refused body (over the limit, or without a key) is read and thrown away.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from encoderfile.errors import QueueFullError

PATIENCE_SECONDS = 60.0
"""How long a body may pause before the rest of it is no longer waited for."""

SLOWEST_BYTES_PER_SECOND = 16 << 10
"""The least speed of a body, pauses of `PATIENCE_SECONDS` in all aside."""

LARGEST_AT_A_TIME = 16
"""Bodies of the largest size that are kept at a time: the bound of all bodies together."""

ALWAYS_BYTES = 64 << 10
"""Of each body that are taken whatever the others have: large bodies do not keep out the small ones."""

DISCARD_BYTES = 64 << 20
"""Thrown away of one body, at most."""

DISCARD_SECONDS = 5.0
"""How long the rest of a refused body is read before the answer, and after it."""

LATE_SECONDS = 1.0
"""The same after an answer that nothing came, or too slowly."""

_STOPPED_COMING = 408


class BodyMiddleware:
    """Holds the limits while the application reads, and answers only once the body was read.

    Reading raises `HTTPException` in the application: 413 as soon as the body is known to be over the limit, 408 when
    it stops coming or comes too slowly, 400 when its client leaves; and `QueueFullError` where all bodies together
    are too many bytes.
    """

    def __init__(self, app: ASGIApp, max_body_bytes: int) -> None:
        self._app = app
        self.max_body_bytes = max_body_bytes
        self._most_bytes = LARGEST_AT_A_TIME * max_body_bytes
        """What the bodies of all requests may have together, the first `ALWAYS_BYTES` of each not counted."""
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(self, scope, receive, send)
        try:
            await self._app(scope, body.receive, body.send)
        finally:
            self._bytes -= body.counted_bytes

    def count(self, size: int) -> None:
        """Takes `size` bytes more. Raises `QueueFullError` where there is no place for them."""
        if self._bytes + size > self._most_bytes:
            raise QueueFullError(
                f"the requests in flight have {self._most_bytes} bytes together, the most that is kept; "
                "try again in a moment"
            )
        self._bytes += size


class _Body:
    """The body of one request."""

    __slots__ = (
        "_all",
        "_asked_at",
        "_bytes",
        "_ended",
        "_late",
        "_lingers",
        "_receive",
        "_scope",
        "_send",
        "counted_bytes",
    )

    def __init__(self, bodies: BodyMiddleware, scope: Scope, receive: Receive, send: Send) -> None:
        self._all = bodies
        self._scope = scope
        self._receive = receive
        self._send = send
        self._bytes = 0
        self._asked_at: float | None = None
        self._ended = False
        self._late = False
        self._lingers = False
        self.counted_bytes = 0
        """What this body takes of all bodies' bytes."""

    async def receive(self) -> Message:
        if self._ended:
            return await self._receive()  # the application wants to know when the client leaves
        if self._asked_at is None:
            self._check_size(self._declared_bytes())
            self._asked_at = time.monotonic()
        message = await self._next_in_time(self._asked_at)
        if message["type"] == "http.disconnect":
            raise HTTPException(400, "The client left before the body was complete")
        self._check_size(self._bytes)
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
            # The client has its whole answer now; what it goes on sending must not meet a closed door.
            await self._send({**message, "more_body": True})
            await self._discard(LATE_SECONDS if self._late else DISCARD_SECONDS)
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await self._send(message)

    def _check_size(self, size: int) -> None:
        if size > self._all.max_body_bytes:
            raise HTTPException(413, f"The body is larger than {self._all.max_body_bytes} bytes; split the request")

    async def _next_in_time(self, started: float) -> Message:
        lag = time.monotonic() - started - self._bytes / SLOWEST_BYTES_PER_SECOND
        try:
            async with asyncio.timeout(PATIENCE_SECONDS - max(0.0, lag)):
                return await self._next()
        except TimeoutError as error:
            what = f"stopped coming for {PATIENCE_SECONDS:g} s"
            if lag > PATIENCE_SECONDS / 2:  # the pause at the end was but a part of it
                what = f"came at less than {SLOWEST_BYTES_PER_SECOND >> 10} KiB/s for too long"
            raise HTTPException(_STOPPED_COMING, f"The body {what}; send it again") from error

    async def _end_of_body(self, start: Message) -> Message:
        """The beginning of the answer, once the body was read; it says so where the connection ends with it."""
        self._late = start["status"] == _STOPPED_COMING
        invited = self._asked_at is not None or self._header(b"expect") is None
        if not self._late and invited and self._declared_bytes() <= DISCARD_BYTES:
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

    def _declared_bytes(self) -> int:
        """0 where the head does not say it."""
        length = self._header(b"content-length") or b""
        return int(length) if length.isdigit() else 0

    def _header(self, name: bytes) -> bytes | None:
        return next((value for each, value in self._scope["headers"] if each == name), None)
