"""One HTTP connection: a client that does not read the end of its answer does not keep it open for ever."""

from __future__ import annotations

import asyncio

import pytest
import uvicorn
from starlette.responses import PlainTextResponse

from encoderfile.transports.http import protocol
from support.loop import in_loop

PATIENCE = 30
"""Seconds after which a test that waits for an event has failed."""


class Unread(asyncio.Transport):
    """A transport whose client reads nothing: closed, it stays open until what was written is read."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closing = False
        self.aborted = asyncio.Event()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def get_write_buffer_size(self) -> int:
        return len(self.written)

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True

    def abort(self) -> None:
        self.aborted.set()

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


async def asked(fields: bytes = b"") -> tuple[protocol.Connections, Unread]:
    """All connections, and the one on which a request was answered."""
    connections, transport = protocol.Connections(), Unread()
    config = uvicorn.Config(PlainTextResponse("an answer"), lifespan="off", log_config=None)
    config.load()
    connection = protocol.HttpProtocol(config, connections, {})
    connection.connection_made(transport)
    connection.data_received(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + fields + b"\r\n")
    await asyncio.gather(*connections.tasks)
    assert transport.written.endswith(b"an answer")
    return connections, transport


@in_loop
async def test_a_closing_connection_whose_client_does_not_read_is_aborted() -> None:
    connections, transport = await asked(b"Connection: close\r\n")
    assert transport.closing
    now = asyncio.get_running_loop().time()
    connections.sweep(now + protocol.READ_SECONDS / 2)
    assert not transport.aborted.is_set(), "it has some time to read"
    connections.sweep(now + 2 * protocol.READ_SECONDS)
    assert transport.aborted.is_set()


@in_loop
async def test_a_connection_that_makes_room_is_aborted_when_its_client_does_not_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(protocol, "LINGER_SECONDS", 0)
    connections, transport = await asked()
    assert connections.make_room()
    assert transport.closing, "what is on its way may still be read"
    await asyncio.wait_for(transport.aborted.wait(), PATIENCE)
