"""Connections that ask for nothing, or never end asking."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import time
from collections.abc import Awaitable, Callable

from attacks.attack import OnServer
from attacks.target import Target

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_POST = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
_EVER = 3600


class _Many:
    """So many connections to one port at a time, each held by `hold` and opened again when it ends."""

    def __init__(self, count: int, hold: Callable[[Streams], Awaitable[None]], port: str = "http") -> None:
        self.count, self.hold, self.port = count, hold, port

    def __call__(self, target: Target) -> str | None:
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        asyncio.run(self._open(getattr(target, self.port)))
        return None

    async def _open(self, port: int) -> None:
        async def one() -> None:
            while True:
                with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                    streams = await asyncio.open_connection("127.0.0.1", port)
                    try:
                        await self.hold(streams)
                    finally:
                        streams[1].close()
                await asyncio.sleep(0.2)

        await asyncio.gather(*(one() for _ in range(self.count)))


async def _idle(streams: Streams) -> None:
    await streams[0].read()


async def _endless_header(streams: Streams) -> None:
    _, writer = streams
    writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\n")
    for number in range(10_000):
        writer.write(b"X-%d: %s\r\n" % (number, b"x" * 1000))
        await writer.drain()
    await asyncio.sleep(_EVER)


async def _trickled_header(streams: Streams) -> None:
    _, writer = streams
    for byte in b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + b"x" * 1000:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.5)


async def _unfinished_body(streams: Streams) -> None:
    _, writer = streams
    writer.write(_POST + b"Content-Length: 4000000\r\n\r\n" + b" " * 3_900_000)
    await writer.drain()
    await asyncio.sleep(_EVER)


async def _unread_answer(streams: Streams) -> None:
    _, writer = streams
    body = b'{"inputs":[' + b",".join([b'"a"'] * 4000) + b"]}"
    writer.write(_POST + b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
    await writer.drain()
    await asyncio.sleep(_EVER)


async def _noise(streams: Streams) -> None:
    reader, writer = streams
    writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(range(256)) * 40)
    await writer.drain()
    await reader.read()


def _too_large(head: bytes) -> Callable[[Target], str | None]:
    return _TooLarge(head)


class _TooLarge:
    """A body over the limit, sent whole before anything is read: the refusal must arrive all the same."""

    def __init__(self, head: bytes) -> None:
        self.head = head

    def __call__(self, target: Target) -> str | None:
        until = time.monotonic() + 10
        while time.monotonic() < until:
            answer = asyncio.run(self._ask(target.http))
            if b" 413 " not in answer[:20]:
                return f"instead of 413 the client got {answer[:40]!r}"
        return None

    async def _ask(self, port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(self.head + b"Content-Length: 6000000\r\n\r\n")
            for _ in range(60):
                writer.write(b"x" * 100_000)
                await writer.drain()
            return await asyncio.wait_for(reader.read(200), 20)
        except (OSError, TimeoutError) as error:
            return type(error).__name__.encode()
        finally:
            writer.close()


ATTACKS = [
    OnServer("100 connections with endless headers", _Many(100, _endless_header)),
    OnServer("300 connections with trickled headers", _Many(300, _trickled_header), seconds=25),
    OnServer("3,000 idle connections", _Many(3000, _idle)),
    OnServer("3,000 idle gRPC connections", _Many(3000, _idle, "grpc")),
    OnServer("200 connections with unfinished bodies", _Many(200, _unfinished_body)),
    OnServer("40 connections that read no answer", _Many(40, _unread_answer)),
    OnServer("noise on the HTTP port", _Many(50, _noise)),
    OnServer("noise on the gRPC port", _Many(50, _noise, "grpc")),
    OnServer("a body over the limit", _too_large(_POST)),
    OnServer("a body over the limit, connection: close", _too_large(_POST + b"Connection: close\r\n")),
    OnServer("a body over the limit, HTTP/1.0", _too_large(_POST.replace(b"HTTP/1.1", b"HTTP/1.0"))),
]
