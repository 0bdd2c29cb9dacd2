"""Start, signals and drain of the servers: bind first, load, serve, stop in order."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from encoderfile.model.device import Device
from encoderfile.model.model import Model
from encoderfile.progress import waiting
from encoderfile.runtime import process
from encoderfile.runtime.announcement import announce
from encoderfile.runtime.binding import GRPC_SHARE, bound_grpc, bound_http
from encoderfile.runtime.loading import make_service
from encoderfile.runtime.tracing import traces
from encoderfile.service import threads
from encoderfile.service.service import Service
from encoderfile.settings import ServeSettings
from encoderfile.terminal import redraws

if TYPE_CHECKING:
    from encoderfile.transports.grpc import GrpcServer
    from encoderfile.transports.http.middleware.origins import Browsers
    from encoderfile.transports.http.server import HttpServer
    from encoderfile.transports.mcp_http import McpHttp

log = logging.getLogger(__name__)

_GRPC_GRACE_SECONDS = 2
"""How long gRPC may take to end its calls once everything accepted is answered."""

_SCRAPERS = 64
"""Maximum connections to the port of metrics."""


async def serve(settings: ServeSettings, device: Device, load: Callable[[], Model]) -> bool:
    """Serves until SIGTERM or SIGINT. True when everything accepted was answered in time.

    Raises `ConfigError` for a port or a certificate that cannot be used, and whatever `load` raises.
    """
    stop, stops_at = asyncio.Event(), 0.0
    asyncio.get_running_loop().set_default_executor(threads.started(2, "load"))
    process.raise_file_limit()
    shares = (not settings.disable_http) + GRPC_SHARE * (not settings.disable_grpc)
    settings = replace(settings, max_connections=process.connections(settings.max_connections, shares))
    with contextlib.ExitStack() as stack:
        http_socket = None if settings.disable_http else stack.enter_context(bound_http(settings))
        metrics = None if settings.metrics_port is None else stack.enter_context(bound_http(settings.for_metrics))
        grpc_server, grpc_port = (None, 0) if settings.disable_grpc else stack.enter_context(bound_grpc(settings))
        stack.enter_context(_signals(stop))
        with waiting("loading the model", shown=settings.log_format == "text" and redraws(sys.stderr)):
            model = await _loaded(load, stop)
        if model is None:
            log.info("stopped before it was ready")
            return True
        service = make_service(model, settings)
        service.start()
        stack.enter_context(traces(settings, service.info, lambda: stops_at - time.monotonic()))
        running = _Running(service, settings, grpc_server, grpc_port)
        if grpc_server is not None:
            await grpc_server.start(service)
        if http_socket is not None:
            await running.start_http(http_socket)
        if metrics is not None:
            await running.start_metrics(metrics)
        announce(service, settings, device, http_socket, grpc_port, metrics)
        process.notify("READY=1")
        # What start-up made stays: looking at it in every collection would take 10 ms.
        gc.freeze()
        await running.until(stop)
        stops_at = time.monotonic() + settings.drain_seconds
        process.notify("STOPPING=1")
        return await running.stop()


class _Running:
    """The servers that run around one service, and the order in which they end."""

    def __init__(self, service: Service, settings: ServeSettings, grpc: GrpcServer | None, grpc_port: int) -> None:
        self._service = service
        self._settings = settings
        self._grpc = grpc
        self._grpc_port = grpc_port
        self._http: HttpServer | None = None
        self._metrics: tuple[HttpServer, asyncio.Task[None]] | None = None
        self._http_task: asyncio.Task[None] | None = None
        self._drained = False
        self._mcp: McpHttp | None = None
        self._mcp_loading: asyncio.Task[None] | None = None

    async def start_http(self, bound: socket.socket) -> None:
        from encoderfile.transports.http import app
        from encoderfile.transports.http.server import HttpServer
        from encoderfile.transports.http.ui.model import WaysIn

        ways_in = WaysIn(
            grpc_port=self._grpc_port or None,
            tls=self._settings.cert_file is not None,
            mcp=not self._settings.disable_mcp,
            metrics=self._settings.metrics_port is None,
        )
        extra = []
        if not self._settings.disable_mcp:
            from encoderfile.transports.mcp_http import McpHttp

            self._mcp = McpHttp(self._service)
            extra = self._mcp.routes()
        application = app.create(
            self._service,
            api_key=self._settings.api_key,
            max_body_bytes=self._settings.max_body_bytes,
            extra_routes=extra,
            page=None if self._settings.disable_ui else ways_in,
            browsers=_browsers(self._settings, bound),
            root_path=self._settings.root_path,
            metrics=self._settings.metrics_port is None,
        )
        self._http = HttpServer(
            application,
            cert_file=self._settings.cert_file,
            key_file=self._settings.key_file,
            max_connections=self._settings.max_connections,
        )
        self._http_task = await self._http.start(bound)
        self._service.metrics.connections = lambda: 0 if self._http is None else self._http.open_connections
        if self._mcp is not None:
            # The SDK takes most of a second to import, so the port opens first.
            self._mcp_loading = asyncio.create_task(self._mcp.load(), name="mcp-load")
            self._mcp_loading.add_done_callback(lambda _: gc.freeze())  # as in `serve`

    async def start_metrics(self, bound: socket.socket) -> None:
        """Serves /metrics and the health checks on a port of their own, until the very end."""
        from encoderfile.transports.http import app
        from encoderfile.transports.http.server import HttpServer

        settings = self._settings.for_metrics
        application = app.create_for_metrics(self._service, _browsers(settings, bound))
        server = HttpServer(
            application, cert_file=settings.cert_file, key_file=settings.key_file, max_connections=_SCRAPERS
        )
        self._metrics = server, await server.start(bound)

    async def until(self, stop: asyncio.Event) -> None:
        """Waits for the signal, or for the HTTP server to end by itself."""
        waiting: set[asyncio.Task[Any]] = {asyncio.create_task(stop.wait())}
        if self._http_task is not None:
            waiting.add(self._http_task)
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)

    async def stop(self) -> bool:
        """Refuses new work, answers what was accepted, closes the ports; within the drain time."""
        log.info("stopping: answering what was accepted")
        seconds = self._settings.drain_seconds
        process.end_within(seconds + process.LEAVING_SECONDS + 0.1)
        try:
            async with asyncio.timeout(seconds + process.LEAVING_SECONDS):
                await self._answer_accepted(time.monotonic() + seconds)
                await self._close()
        except TimeoutError:
            log.warning("connections that did not close in time were cut")
        log.info("stopped")
        return self._drained

    async def _answer_accepted(self, until: float) -> None:
        if self._grpc is not None:
            await self._grpc.drain()
        drained = await self._service.drain(self._settings.drain_seconds)
        if self._http is not None:
            drained = await self._http.finish(max(0.0, until - time.monotonic())) and drained
        if not drained:
            log.error("not everything was answered within %s seconds", self._settings.drain_seconds)
        self._drained = drained

    async def _close(self) -> None:
        if self._mcp_loading is not None:
            self._mcp_loading.cancel()
        if self._http is not None and self._http_task is not None:
            self._http.should_exit = True
            await self._http_task
        if self._mcp is not None:
            await self._mcp.stop()
        if self._grpc is not None:
            await self._grpc.stop(_GRPC_GRACE_SECONDS if self._drained else 0)
        await self._service.stop()
        if self._metrics is not None:
            server, task = self._metrics
            server.should_exit = True
            await task


def _browsers(settings: ServeSettings, bound: socket.socket) -> Browsers:
    from encoderfile.transports.http.middleware.origins import Browsers, is_loopback

    return Browsers(
        allowed_hosts=(*settings.allowed_host, settings.http_hostname),
        cors_origins=settings.cors_origin,
        loopback_only=is_loopback(bound),
    )


async def _loaded(load: Callable[[], Model], stop: asyncio.Event) -> Model | None:
    """The model; None when `stop` comes first."""
    loading, asked = asyncio.create_task(asyncio.to_thread(load)), asyncio.create_task(stop.wait())
    await asyncio.wait({loading, asked}, return_when=asyncio.FIRST_COMPLETED)
    return await loading if loading.done() else None


@contextlib.contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    """SIGTERM and SIGINT set `stop`; a second one ends the process at once."""
    loop = asyncio.get_running_loop()

    def asked(number: int) -> None:
        if stop.is_set():
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked, number)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
