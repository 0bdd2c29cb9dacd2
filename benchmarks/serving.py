"""A built file that serves, and clients in closed loops for each transport."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from types import TracebackType

import grpc.aio

from encoderfile.transports._pb import encoderfile_pb2 as pb

Call = Callable[[bytes], Awaitable[None]]


class Server:
    """The built file, serving HTTP, gRPC and MCP on ports the kernel chose."""

    def __init__(self, file: Path, model_type: str) -> None:
        self.service = "".join(word.capitalize() for word in model_type.split("_"))
        quiet = [
            "--http-hostname",
            "127.0.0.1",
            "--http-port",
            "0",
            "--grpc-hostname",
            "127.0.0.1",
            "--grpc-port",
            "0",
        ]
        self._process = subprocess.Popen([file, "serve", *quiet], stderr=subprocess.PIPE, text=True)
        assert self._process.stderr is not None
        self.http = self.grpc = 0
        for line in self._process.stderr:
            if "HTTP on " in line:
                self.http = int(line.rsplit(":", 1)[1])
            if "gRPC on " in line:
                self.grpc = int(line.rsplit(":", 1)[1])
            if "ready" in line:
                break

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait()

    def cpu_seconds(self) -> float:
        """Processor time used so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_mb(self) -> float:
        """Peak resident memory."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024


def requests(server: Server, transport: str, texts: Sequence[str], size: int) -> list[bytes]:
    """The bytes of requests of `size` texts each, in the form that `transport` sends."""
    groups = [list(texts[i : i + size]) for i in range(0, len(texts), size)]
    if transport == "grpc":
        message = getattr(pb, f"{server.service}Request")
        return [message(inputs=group).SerializeToString() for group in groups]
    if transport == "mcp":
        return [_post("/mcp", _tool_call({"inputs": group})) for group in groups]
    return [_post("/predict", {"inputs": group}) for group in groups]


def _tool_call(arguments: object) -> object:
    call = {"name": "run_encoder", "arguments": arguments}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}


def _post(path: str, content: object) -> bytes:
    body = json.dumps(content).encode()
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: 2025-06-18\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


async def load(server: Server, transport: str, clients: int, queue: list[bytes]) -> tuple[float, list[float]]:
    """Seconds for the whole queue with so many clients, and each request's latency."""
    latencies: list[float] = []
    waiting = queue[::-1]
    each = _grpc_client if transport == "grpc" else _http_client
    started = time.perf_counter()
    await asyncio.gather(*(each(server, waiting, latencies) for _ in range(clients)))
    return time.perf_counter() - started, latencies


async def _closed_loop(call: Call, queue: list[bytes], latencies: list[float]) -> None:
    while queue:
        request = queue.pop()
        started = time.perf_counter()
        await call(request)
        latencies.append(time.perf_counter() - started)


async def _http_client(server: Server, queue: list[bytes], latencies: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.http, limit=1 << 26)

    async def call(request: bytes) -> None:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
        if not head.startswith(b"HTTP/1.1 200") or body.startswith(b'{"jsonrpc":"2.0","id":1,"error"'):
            raise SystemExit((head + body[:500]).decode())

    await _closed_loop(call, queue, latencies)
    writer.close()


async def _grpc_client(server: Server, queue: list[bytes], latencies: list[float]) -> None:
    options = [("grpc.max_receive_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.grpc}", options=options) as channel:
        method = channel.unary_unary(f"/encoderfile.{server.service}/Predict")

        async def call(request: bytes) -> None:
            await method(request)

        await _closed_loop(call, queue, latencies)
