"""The servers of the contract suite: real ones, on ports the kernel chose, around one service."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from encoderfile.service.service import Service
from encoderfile.transports.grpc import GrpcServer
from encoderfile.transports.http import app
from encoderfile.transports.http.middleware.origins import SAME_ORIGIN, Browsers
from encoderfile.transports.http.server import HttpServer
from encoderfile.transports.http.ui.model import WaysIn
from encoderfile.transports.mcp_http import McpHttp

BODY_LIMIT = 4 << 20
PAGE = WaysIn()


@asynccontextmanager
async def started(service: Service) -> AsyncIterator[Service]:
    """The service, taking requests until the block ends."""
    service.start()
    try:
        yield service
    finally:
        await service.stop()


@asynccontextmanager
async def http_server(
    service: Service,
    *,
    api_key: str | None = None,
    max_body_bytes: int = BODY_LIMIT,
    browsers: Browsers = SAME_ORIGIN,
    root_path: str = "",
    mcp: bool = True,
    page: WaysIn | None = PAGE,
    max_connections: int = 1024,
    metrics: bool = True,
) -> AsyncIterator[str]:
    """HTTP, with MCP at /mcp and the page unless told otherwise; gives the base address."""
    tool = McpHttp(service)
    application = app.create(
        service,
        api_key=api_key,
        max_body_bytes=max_body_bytes,
        extra_routes=tool.routes() if mcp else (),
        page=page,
        browsers=browsers,
        root_path=root_path,
        metrics=metrics,
    )
    server = HttpServer(application, cert_file=None, key_file=None, max_connections=max_connections)
    service.metrics.connections = lambda: server.open_connections
    # With the protocol named, as `serve` does it: else every answer waits 40 ms for an ACK.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen()
        serving = await server.start(bound)
        try:
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        finally:
            server.should_exit = True
            await asyncio.gather(serving, tool.stop())


@asynccontextmanager
async def grpc_server(
    service: Service, *, api_key: str | None = None, max_body_bytes: int = BODY_LIMIT
) -> AsyncIterator[tuple[GrpcServer, str]]:
    """gRPC; gives the server and its address."""
    server = GrpcServer(api_key=api_key, max_body_bytes=max_body_bytes)
    port = server.bind("127.0.0.1:0", None)
    await server.start(service)
    try:
        yield server, f"127.0.0.1:{port}"
    finally:
        await server.stop(0)
