"""MCP: one tool, `run_encoder`, over Streamable HTTP (stateless, plain JSON) and over stdio."""

from __future__ import annotations

import asyncio
import dataclasses
import ipaddress
import logging
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Message, Receive, Scope, Send

import encoderfile
from encoderfile.errors import EncoderfileError, InternalError, Kind
from encoderfile.service.json_form import read_request, request_schema, response_schema, write_answer
from encoderfile.service.service import Service
from encoderfile.tasks import Task
from encoderfile.transports import bodies
from encoderfile.types import ModelInfo

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server
    from mcp_types import CallToolResult

log = logging.getLogger(__name__)

PARSE_ERROR, INVALID_REQUEST, INVALID_PARAMS, INTERNAL_ERROR = -32700, -32600, -32602, -32603

STATUS: dict[Kind, int] = {
    Kind.INVALID_ARGUMENT: INVALID_REQUEST,
    Kind.UNAUTHENTICATED: INVALID_REQUEST,
    Kind.RESOURCE_EXHAUSTED: INTERNAL_ERROR,
    Kind.UNAVAILABLE: INTERNAL_ERROR,
    Kind.INTERNAL: INTERNAL_ERROR,
    Kind.FAILED_PRECONDITION: INTERNAL_ERROR,
}
"""One JSON-RPC code per kind."""

TOOL = "run_encoder"

MAX_VALUES = 1 << 22
"""Numbers of one answer, at most: the SDK holds each as a Python object, and the whole as text beside."""

TRUNCATED = "x-truncated-inputs"
"""In the result's `_meta`, where texts were cut: how many. The word that HTTP and gRPC have for it."""


def description(info: ModelInfo, task: Task[Any], refuses_overflow: bool) -> str:
    """What the tool says of itself: enough for an agent to use it without guessing."""
    lines = [f"{task.summary} The model is {info.model_id} ({info.model_type}): it gives {task.answer}."]
    if info.id2label:
        labels = list(info.id2label.values())
        shown = ", ".join(labels[:30]) + (", ..." if len(labels) > 30 else "")
        lines.append(f"Its labels: {shown}.")
    lines.append(f"Texts longer than {info.max_length} tokens are {'refused' if refuses_overflow else 'cut'}.")
    lines.append(f"Example arguments: {orjson.dumps(task.example).decode()}")
    return " ".join(lines)


def build(service: Service) -> Server[Any]:
    """The MCP server around one service. Importing the SDK takes most of a second, so only here."""
    import mcp_types as types
    from mcp.server.lowlevel import Server
    from mcp.shared.exceptions import MCPError

    info = service.info
    words = description(info, service.task, service.refuses_overflow)
    tool = types.Tool(
        name=TOOL,
        description=words,
        input_schema=request_schema(service.task, info),
        output_schema=response_schema(service.task),
        annotations=types.ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False),
    )

    async def list_tools(_: Any, __: Any) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[tool])

    async def call_tool(_: Any, params: types.CallToolRequestParams) -> CallToolResult:
        if params.name != TOOL:
            raise MCPError(INVALID_PARAMS, f"there is no tool {params.name!r}: the only one is {TOOL}")
        try:
            with service.metrics.request("mcp") as measured:
                request = read_request(params.arguments or {}, service.task, info.truncation_side)
                prediction = await service.predict(dataclasses.replace(request, max_values=MAX_VALUES))
                measured.timing = prediction.timing
            text = write_answer(prediction)
        except EncoderfileError as error:
            raise MCPError(STATUS[error.kind], str(error)) from error
        except Exception as error:
            log.exception("a tool call failed")
            failure = InternalError.unforeseen()
            raise MCPError(INTERNAL_ERROR, str(failure)) from error
        result = types.CallToolResult(
            content=[types.TextContent(type="text", text=text.decode())], structured_content=orjson.loads(text)
        )
        if prediction.truncated_inputs:
            result.meta = {TRUNCATED: prediction.truncated_inputs}
        return result

    return Server(
        "encoderfile",
        version=encoderfile.__version__,
        title=f"{info.model_id} {info.version}",
        instructions=f"{info.model_id} {info.version}: {words}",
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


class McpHttp:
    """`/mcp` on the HTTP port: loaded on the first call or in the background, whichever comes first."""

    def __init__(self, service: Service, *, max_body_bytes: int, allowed_hosts: Sequence[str]) -> None:
        self._service = service
        self._max_body_bytes = max_body_bytes
        self._hosts = frozenset(host.lower() for host in (*allowed_hosts, "localhost", socket.gethostname()))
        self._loading = asyncio.Lock()
        self._handle: Callable[[Scope, Receive, Send], Awaitable[None]] | None = None
        self._stop = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    def routes(self) -> list[BaseRoute]:
        """The one route; POST alone, because stateless servers have no stream to GET."""
        return [Route("/mcp", self.answer, methods=["POST"])]

    async def answer(self, request: Request) -> Response:
        """One JSON-RPC message in, one out."""
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        body = await bodies.read(request, self._max_body_bytes)
        await self.load()
        return _Handled(self._handle, body)

    async def load(self) -> None:
        """Imports the SDK in a thread and starts its session manager, once."""
        async with self._loading:
            if self._handle is not None:
                return
            server = await asyncio.to_thread(build, self._service)
            started = asyncio.Event()
            self._running = asyncio.create_task(self._run(server, started), name="mcp")
            await started.wait()

    async def _run(self, server: Server[Any], started: asyncio.Event) -> None:
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

        manager = StreamableHTTPSessionManager(
            server, json_response=True, stateless=True, max_request_body_size=self._max_body_bytes
        )
        async with manager.run():
            self._handle = manager.handle_request
            started.set()
            await self._stop.wait()

    async def stop(self) -> None:
        """Ends the session manager."""
        self._stop.set()
        if self._running is not None:
            await asyncio.gather(self._running, return_exceptions=True)

    def _refusal(self, request: Request) -> Response | None:
        """DNS rebinding needs a name that somebody else controls: addresses and known names are let through.

        A page may come from this machine, from a known name, or from the host that it asks.
        """
        host = request.headers.get("host", "")
        asked = _name(host)
        if asked not in self._hosts and not _is_address(asked):
            return PlainTextResponse(f"The host {host!r} is not allowed here; see --allowed-host", 421)
        origin = request.headers.get("origin")
        if origin is not None:
            name = _name(origin.partition("://")[2])
            if name not in self._hosts and name != asked and not _is_loopback(name):
                return PlainTextResponse(f"The origin {origin!r} is not allowed here; see --allowed-host", 403)
        content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type != "application/json":
            return PlainTextResponse("Expected request with `Content-Type: application/json`", 415)
        return None


def _name(netloc: str) -> str:
    """The host name or address in `netloc`, without port; empty when there is none."""
    try:
        return urlsplit(f"//{netloc}").hostname or ""
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(name: str) -> bool:
    return _is_address(name) and ipaddress.ip_address(name).is_loopback


class _Handled(Response):
    """Hands the connection to the SDK's own ASGI handler, with the body that was read already."""

    def __init__(self, handle: Callable[[Scope, Receive, Send], Awaitable[None]] | None, body: bytes) -> None:
        super().__init__()
        self._handle = handle
        self._messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def receive_again() -> Message:
            return self._messages.pop() if self._messages else await receive()

        assert self._handle is not None
        await self._handle(scope, receive_again, send)
