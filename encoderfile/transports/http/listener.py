"""Accepting connections: no more than are allowed, and none that cannot be had brings the others down.

asyncio's own servers accept without bound, and where no descriptor is left they log each of `backlog` tries.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import socket
import ssl
from collections.abc import Callable

from encoderfile.transports.http.protocol import HEAD_SECONDS, Connections

log = logging.getLogger(__name__)

_AT_A_TIME = 64
"""Connections accepted before the event loop goes on."""

_SHUTDOWN_SECONDS = 2.0
"""How long TLS may take to say goodbye."""

PAUSE_SECONDS = 1.0
"""Between two looks at the connections that are open, two lines of the log, and two tries where accepting fails."""


class Listener:
    """Hands the connections of a bound socket to protocols. For one event loop."""

    def __init__(
        self,
        bound: socket.socket,
        protocol: Callable[[], asyncio.Protocol],
        connections: Connections,
        *,
        most: int,
        spare: int,
        tls: ssl.SSLContext | None,
    ) -> None:
        """`most` connections may be open: one more closes that which has waited longest for a request.

        Where none waits, `spare` more are accepted, to be told so.
        """
        self._socket = bound
        self._protocol = protocol
        self._connections = connections
        self._most = most
        self._spare = spare
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        self._beginning: dict[asyncio.Task[None], asyncio.Protocol] = {}
        """Those that are being set up, which takes TLS a while."""
        self._reserve = -1
        """A descriptor to let go of where none is left: with it a connection can be accepted, and closed."""
        self._sweep: asyncio.TimerHandle | None = None
        self._refused = 0
        self._logged_at = -PAUSE_SECONDS
        bound.setblocking(False)
        self._open()

    def close(self) -> None:
        """Accepts no more."""
        self._loop.remove_reader(self._socket)
        for timer in (self._sweep, self._again):
            if timer is not None:
                timer.cancel()
        if self._reserve >= 0:
            os.close(self._reserve)
            self._reserve = -1

    def _open(self) -> None:
        self._again: asyncio.TimerHandle | None = None
        self._reserve_one()
        self._loop.add_reader(self._socket, self._accept)

    def _accept(self) -> None:
        for _ in range(_AT_A_TIME):
            try:
                accepted, _ = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._accept_failed(error)
                return
            if self._has_room():
                accepted.setblocking(False)
                self._begin(accepted)
            else:
                accepted.close()
                self._say("%d connections refused: %d are open, all with a request in flight", self._most)

    def _has_room(self) -> bool:
        while self._count() >= self._most and self._connections.make_room():
            pass
        return self._count() < self._most + self._spare

    def _count(self) -> int:
        opened = self._connections.connections
        return len(opened) + sum(each not in opened for each in self._beginning.values())

    def _begin(self, accepted: socket.socket) -> None:
        protocol = self._protocol()
        task = self._loop.create_task(self._connect(accepted, protocol), name="accept")
        self._beginning[task] = protocol
        task.add_done_callback(self._beginning.pop)
        if self._sweep is None:
            self._sweep = self._loop.call_later(PAUSE_SECONDS, self._look)

    async def _connect(self, accepted: socket.socket, protocol: asyncio.Protocol) -> None:
        seconds = (
            {}
            if self._tls is None
            else {
                "ssl_handshake_timeout": HEAD_SECONDS,
                "ssl_shutdown_timeout": _SHUTDOWN_SECONDS,
            }
        )
        try:
            await self._loop.connect_accepted_socket(lambda: protocol, accepted, ssl=self._tls, **seconds)
        except (OSError, asyncio.CancelledError) as error:  # of TLS; the client's affair
            log.debug("a connection did not come about: %s", error)

    def _accept_failed(self, error: OSError) -> None:
        self._say("%d connections refused: %s", os.strerror(error.errno or 0))
        if error.errno in (errno.EMFILE, errno.ENFILE) and (self._connections.make_room() or self._refuse_one()):
            return
        # The machine has no more. Trying again at once would take a core.
        self._loop.remove_reader(self._socket)
        self._again = self._loop.call_later(PAUSE_SECONDS, self._open)

    def _refuse_one(self) -> bool:
        """Closes the connection that is next in line, which else would wait for its client's patience to end."""
        if self._reserve < 0:
            return False
        os.close(self._reserve)
        self._reserve = -1
        try:
            self._socket.accept()[0].close()
        except OSError:
            return False
        finally:
            self._reserve_one()
        return self._reserve >= 0

    def _reserve_one(self) -> None:
        """Takes the descriptor where there is one again: somebody else may have been quicker."""
        if self._reserve < 0:
            with contextlib.suppress(OSError):
                self._reserve = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)

    def _say(self, sentence: str, reason: object) -> None:
        self._refused += 1
        if self._loop.time() >= self._logged_at + PAUSE_SECONDS:
            log.warning(sentence, self._refused, reason)
            self._refused, self._logged_at = 0, self._loop.time()

    def _look(self) -> None:
        self._sweep = None
        self._connections.sweep(self._loop.time())
        if self._connections.connections or self._beginning:
            self._sweep = self._loop.call_later(PAUSE_SECONDS, self._look)
