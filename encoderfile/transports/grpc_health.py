"""gRPC health checking: one status for the server and each of its services.

The library's servicer has no `List`, takes any number of watchers, and waits for each of them to read.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2

from encoderfile.errors import DrainingError, QueueFullError

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING

MAX_WATCHERS, MAX_OF_A_CONNECTION = 1024, 8
"""Open calls of `Watch` at a time: no key is asked for, and each takes memory."""

_Context = grpc.aio.ServicerContext[Any, Any]


class Health:
    """`grpc.health.v1.Health`. For one event loop."""

    def __init__(self) -> None:
        self._names: frozenset[str] = frozenset()
        self._status = NOT_SERVING
        self._watchers: dict[asyncio.Event, str] = {}
        """What wakes each, and whose it is."""
        self._ended = False

    def serve(self, names: Sequence[str]) -> None:
        """Begins to answer for the server as a whole and for the services called `names`."""
        self._names = frozenset({"", *names})
        self.say(SERVING)

    def say(self, status: Any) -> None:
        """Tells all who watch."""
        self._status = status
        for watcher in self._watchers:
            watcher.set()

    def end(self) -> None:
        """Ends all calls of `Watch`, which nothing else would end."""
        self._ended = True
        self.say(NOT_SERVING)

    async def Check(self, request: Any, context: _Context) -> Any:  # noqa: N802
        """The status of one; NOT_FOUND for a service that is not here."""
        if request.service not in self._names:
            await context.abort(grpc.StatusCode.NOT_FOUND, "this server has no such service: List names those it has")
        return health_pb2.HealthCheckResponse(status=self._status)

    async def List(self, _: Any, __: _Context) -> Any:  # noqa: N802
        """The status of each service, and of the server under the empty name."""
        now = health_pb2.HealthCheckResponse(status=self._status)
        return health_pb2.HealthListResponse(statuses=dict.fromkeys(sorted(self._names), now))

    async def Watch(self, request: Any, context: _Context) -> None:  # noqa: N802
        """Each change of the status, until the caller leaves or the server stops."""
        told = None
        with self.watching(context.peer()) as changed:
            while True:
                changed.clear()
                known = request.service in self._names
                status = self._status if known else health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
                if status != told:
                    told = status
                    await context.write(health_pb2.HealthCheckResponse(status=status))
                if self._ended:
                    raise DrainingError("the server is stopping")
                await changed.wait()

    @contextmanager
    def watching(self, connection: str) -> Iterator[asyncio.Event]:
        """Raises `QueueFullError` where there are too many."""
        if len(self._watchers) >= MAX_WATCHERS:
            raise QueueFullError(f"at most {MAX_WATCHERS} calls of Watch at a time: use Check")
        shared = connection.startswith("unix:")  # all connections have this name
        if not shared and Counter(self._watchers.values())[connection] >= MAX_OF_A_CONNECTION:
            raise QueueFullError(f"at most {MAX_OF_A_CONNECTION} calls of Watch at a time on one connection")
        changed = asyncio.Event()
        self._watchers[changed] = connection
        try:
            yield changed
        finally:
            del self._watchers[changed]
