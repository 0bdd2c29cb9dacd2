"""One HTTP connection: uvicorn's protocol with the limits that it does not have on heads, waiting and pipelines."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from typing import Any

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from encoderfile.service import access_log

REFUSED = "refused"
"""In the state of a request that is answered without the application while its body comes: the status."""

HEAD_SECONDS = 20.0
"""How long a request's line and header fields may take to come, counted from the connection or their first byte."""

IDLE_SECONDS = 65.0
"""How long a connection is kept without a request: longer than the 60 s after which common proxies drop theirs."""

LINGER_SECONDS = 2.0
"""How long a refused client may go on sending, so that it gets to read the refusal."""

READ_SECONDS = 60.0
"""How long a client may read nothing of its answer."""

SLOWEST_BYTES = 256 << 10
"""A second, of an answer that takes longer than `READ_SECONDS` to be read: large ones make others wait."""

STOPPED_READING_SECONDS = 2.0
"""How long a stopping server waits for a client that reads nothing of its answer."""

MAX_UNREAD_BYTES = 256 << 20
"""Answers that were given and wait for their clients to read them, all together."""

MAX_HEAD_BYTES = 64 << 10
"""Of a request's line and header fields; also of what may come between two chunks of a body, or after it."""

MAX_FIELDS = 256
"""Header fields of one request."""

MAX_PIPELINED = 32
"""Requests that wait on one connection; with the last of them it closes, and its client sends the others again."""

_READ_BYTES = 1 << 16
"""Bytes taken from a socket at a time. asyncio's 256 KiB would be kept for every client that is not listened to."""

_TOO_LARGE = f"The header fields are larger than {MAX_HEAD_BYTES} bytes or more than {MAX_FIELDS}; send fewer"


class Connections(ServerState):
    """All open connections, and which of them wait for a request, the longest waiting first."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: dict[HttpProtocol, None] = {}

    def make_room(self) -> bool:
        """Closes the connection that has waited longest for a request; False when none waits."""
        for protocol in self.waiting:
            del self.waiting[protocol]
            self.connections.discard(protocol)
            protocol.leave()
            return True
        return False

    def refuse_unfinished(self, sentence: str) -> None:
        """Answers 503 to every request whose body is still coming."""
        for protocol in list(self.connections):
            if isinstance(protocol, HttpProtocol) and protocol.is_uploading:
                protocol.refuse(503, sentence)

    async def read_by(self, until: float) -> bool:
        """Waits until clients have read their answers, or none reads on; False where some is left.

        `until` is a time of `time.monotonic`.
        """
        left, read_at = self._unread(), time.monotonic()
        while left and time.monotonic() < min(until, read_at + STOPPED_READING_SECONDS):
            await asyncio.sleep(0.02)
            now = self._unread()
            if now < left:
                read_at = time.monotonic()
            left = now
        return not left

    def _unread(self) -> int:
        """Bytes of answers that clients have not read."""
        return sum(each.transport.get_write_buffer_size() for each in self.connections)

    def sweep(self, now: float) -> None:
        """Closes what has kept the server waiting too long; `now` is the event loop's time.

        Where unread answers take too much together, the one with most left to read is closed too.
        """
        ours = [each for each in self.connections if isinstance(each, HttpProtocol)]
        for protocol in ours:
            if (protocol.until < now and not protocol.is_read(now)) or protocol.is_read_too_slowly(now):
                protocol.transport.abort()
        if self._unread() > MAX_UNREAD_BYTES:
            max(ours, key=lambda each: each.transport.get_write_buffer_size()).transport.abort()


class HttpProtocol(HttpToolsProtocol):
    """Ends a connection that keeps it waiting, and refuses heads that are too large with 431.

    `server_state` is the `Connections` of the server. No timer of its own: the server looks at `until`.
    """

    server_state: Connections

    def __init__(
        self,
        config: Config,
        server_state: Connections,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.until = math.inf
        """The event loop's time at which waiting ends; infinite while a request is in flight."""
        self._unfinished_bytes = 0
        """What came since a head began, or since the last byte of a body."""
        self._unread_bytes = 0
        """What the client had not read of its answer when it was looked at last."""
        self._answer: RequestResponseCycle | None = None
        self._read_by = math.inf
        """When `_answer` should have been read, in the event loop's time."""
        self._in_head = False
        self._refused = False
        self._last = False
        """Whether the connection closes with the request that was queued last."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if hasattr(transport, "max_size"):
            transport.max_size = _READ_BYTES
        self._wait(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self.server_state.waiting.pop(self, None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused or self._last:
            return  # read, so that closing does not reset the connection before the client has its answer
        self._unfinished_bytes += len(data)
        try:
            self._feed(data)
        except httptools.HttpParserError:
            self.refuse(400, "The request is not valid HTTP/1.1")
        if self._unfinished_bytes > MAX_HEAD_BYTES and not self._refused:
            self.refuse(431, _TOO_LARGE)

    def _feed(self, data: bytes) -> None:
        while not self._refused and not self._last:
            try:
                self.parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as upgrade:
                if self._should_upgrade():
                    read = (
                        value for name, value in self.headers if name.startswith((b"connection", b"sec-websocket-"))
                    )
                    if all(value.isascii() for value in read):
                        self.handle_websocket_upgrade()
                    else:  # its library would fail on them
                        self.refuse(400, "The request is no handshake of a WebSocket")
                    return
                if not self._asks_in_vain():
                    return
                # The parser would pass over the body; Java's client offers HTTP/2 with every request.
                fields = [(name, value) for name, value in self.headers if name != b"upgrade"]
                head = b"".join(b"%s: %s\r\n" % field for field in fields)
                line = b"%s %s HTTP/%s\r\n" % (
                    self.parser.get_method(),
                    self.url,
                    self.parser.get_http_version().encode(),
                )
                data = line + head + b"\r\n" + data[upgrade.args[0] :]
                self.parser = httptools.HttpRequestParser(self)

    def _asks_in_vain(self) -> bool:
        """Whether a request offers another protocol than is spoken here: it is answered as if it had not."""
        offers = self.parser.should_upgrade() and not self._should_upgrade()
        return offers and any(name == b"upgrade" for name, _ in self.headers)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        if self.cycle is None or self.cycle.response_complete:
            self.until = self.loop.time() + HEAD_SECONDS

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head and len(self.headers) <= MAX_FIELDS:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self._refused or self._last:
            return
        if len(self.pipeline) >= MAX_PIPELINED:
            self._close_after_answers()
            return
        if len(self.headers) > MAX_FIELDS or self._head_bytes() > MAX_HEAD_BYTES:
            self.refuse(431, _TOO_LARGE)
            return
        if self._asks_in_vain():
            return
        self._unfinished_bytes = 0
        self.until = math.inf
        self.server_state.waiting.pop(self, None)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unfinished_bytes = 0
        if not self._refused and not self._last:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self._asks_in_vain():
            return
        self._unfinished_bytes = 0
        if not self._refused and not self._last:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            self._watch_reading()  # what is left to read keeps it open
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self.flow.write_paused:
            self._watch_reading()
        else:
            self._wait(HEAD_SECONDS if self._in_head else IDLE_SECONDS)

    def shutdown(self) -> None:
        if self._refused:
            self.transport.close()
        else:
            super().shutdown()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.transport.is_closing():
            return
        self.until = math.inf
        if self.cycle is not None and self.cycle.response_complete and not self.pipeline:
            self._wait(IDLE_SECONDS)

    @property
    def is_uploading(self) -> bool:
        """Whether the request at hand is not answered and its body is not whole."""
        cycle = self.cycle
        if cycle is None or self._refused:
            return False
        return not cycle.response_started and cycle.more_body and not self.pipeline

    def is_read(self, now: float) -> bool:
        """Whether the client has read some of its answer since this was asked; then its time begins anew."""
        left = self.transport.get_write_buffer_size()
        if left >= self._unread_bytes:
            return False
        self._unread_bytes, self.until = left, now + READ_SECONDS
        return True

    def is_read_too_slowly(self, now: float) -> bool:
        """Whether the client should have read the answer at hand by now. To be asked now and then."""
        cycle = self.cycle
        if cycle is None or not cycle.response_started or cycle.response_complete:
            return False
        if self._answer is not cycle:
            self._answer = cycle
            self._read_by = now + READ_SECONDS + cycle.expected_content_length / SLOWEST_BYTES
        return self._read_by < now

    def leave(self) -> None:
        """Closes a connection that waits for a request; at once, unless the end of an answer is on its way."""
        if self.transport.get_write_buffer_size():
            self.transport.close()
            # It counts no more, so nobody else would look whether the client reads.
            self.loop.call_later(LINGER_SECONDS, self.transport.abort)
        else:
            self.transport.abort()

    def _wait(self, seconds: float) -> None:
        self.until = self.loop.time() + seconds
        self._unread_bytes = 0
        self.server_state.waiting[self] = None

    def _watch_reading(self) -> None:
        self._unread_bytes = self.transport.get_write_buffer_size()
        self.until = self.loop.time() + READ_SECONDS

    def _head_bytes(self) -> int:
        if self._unfinished_bytes <= MAX_HEAD_BYTES:
            return 0  # all that came was less
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _close_after_answers(self) -> None:
        """Answers what was asked so far; what follows is not read, and its client asks again elsewhere."""
        self._last = True
        self.cycle.keep_alive = False

    def refuse(self, status: int, sentence: str) -> None:
        """Answers without the application, and closes once the client has read it or went on for too long.

        The first refusal counts.
        """
        if self._refused:
            return
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            if not cycle.more_body:
                self._close_after_answers()  # the fault is in what follows a request that is being answered
                return
            if not self.is_uploading:
                self.transport.abort()
                return
            cycle.disconnected = True
            cycle.message_event.set()
            cycle.scope["state"][REFUSED] = status  # its line in the log has what its client was told
        else:
            access_log.write_refused(status, self.client)
        self._refused = True
        again = b"retry-after: 1\r\n" if status == 503 else b""
        fields = b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n" % len(sentence)
        end = b"connection: close\r\n\r\n" + sentence.encode()
        self.transport.write(STATUS_LINE[status] + fields + again + end)
        self.until = self.loop.time() + LINGER_SECONDS
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            with contextlib.suppress(OSError):  # the client has left
                self.transport.write_eof()
