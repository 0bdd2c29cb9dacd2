"""Accepting connections: each is counted once, and one that is being set up counts too."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from encoderfile.transports.http.listener import Listener
from encoderfile.transports.http.protocol import Connections
from support.clients import PATIENCE
from support.loop import in_loop


class Opened(asyncio.Protocol):
    """A protocol that is counted as uvicorn's are; `then` is called as soon as it is."""

    def __init__(self, connections: Connections, then: Callable[[], None]) -> None:
        self._connections = connections
        self._then = then

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._connections.connections.add(self)  # type: ignore[arg-type]
        self._then()


class NoDescriptors(socket.socket):
    """A listening socket of a process that has no descriptor left; `tried` is set once accepting failed twice."""

    def __init__(self) -> None:
        super().__init__()
        self._left = 2
        self.tried = asyncio.Event()

    def accept(self) -> tuple[socket.socket, object]:
        self._left -= 1
        if not self._left:
            self.tried.set()
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


@contextmanager
def listening(
    bound: socket.socket, connections: Connections, then: Callable[[], None] = lambda: None, *, most: int = 9
) -> Iterator[None]:
    with bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen()
        listener = Listener(bound, partial(Opened, connections, then), connections, most=most, spare=0, tls=None)
        try:
            yield
        finally:
            listener.close()


@in_loop
async def test_a_connection_that_was_set_up_is_not_counted_twice() -> None:
    connections, bound, both = Connections(), socket.socket(), asyncio.Event()
    with ExitStack() as clients:

        def connect() -> None:
            if len(connections.connections) == 2:
                both.set()
            else:
                clients.enter_context(socket.create_connection(bound.getsockname()))

        with listening(bound, connections, then=connect, most=2):
            connect()
            await asyncio.wait_for(both.wait(), PATIENCE)  # counted twice, the first would leave no room


def reserved() -> int:
    """Descriptors of this process that are open for nothing."""
    return sum(each.is_symlink() and each.readlink() == Path(os.devnull) for each in Path("/proc/self/fd").iterdir())


@in_loop
async def test_the_descriptor_in_reserve_is_taken_again_though_nobody_was_in_line() -> None:
    before, bound = reserved(), NoDescriptors()
    with listening(bound, Connections()), socket.create_connection(bound.getsockname()):
        assert reserved() == before + 1
        await asyncio.wait_for(bound.tried.wait(), PATIENCE)  # the second time with the reserve given up
        assert reserved() == before + 1
    assert reserved() == before
