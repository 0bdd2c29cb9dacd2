"""Accepting connections: each is counted once, and one that is being set up counts too."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from encoderfile.transports.http.listener import Listener
from encoderfile.transports.http.protocol import Connections
from support.loop import in_loop


class Opened(asyncio.Protocol):
    """A protocol that is counted as uvicorn's are."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._connections.connections.add(self)  # type: ignore[arg-type]


@contextmanager
def listening(connections: Connections) -> Iterator[tuple[Listener, socket.socket]]:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen()
        listener = Listener(bound, lambda: Opened(connections), connections, most=9, spare=0, tls=None)
        try:
            yield listener, bound
        finally:
            listener.close()


@in_loop
async def test_a_connection_that_was_set_up_is_not_counted_twice() -> None:
    connections = Connections()
    counts: list[int] = []
    with listening(connections) as (listener, bound), socket.create_connection(bound.getsockname()):
        while not connections.connections or listener._beginning:
            await asyncio.sleep(0)
            counts.append(listener._count())
    assert max(counts) == 1


@in_loop
async def test_the_descriptor_in_reserve_is_taken_again_though_nobody_was_in_line() -> None:
    with listening(Connections()) as (listener, _):
        assert not listener._refuse_one()
        assert listener._reserve >= 0
