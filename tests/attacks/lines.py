"""Lines that are no MCP, and calls that are no gRPC."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Iterator, Sequence

import grpc

from attacks.attack import Files, OnFile, OnServer
from attacks.target import Target

_PATIENCE = 60
_ODD = (None, True, -1, 1e300, "", "x" * 1000, [], [[]], {}, {"a": []}, "\ud800", "\x00", 2**70)
_HELLO = {
    "jsonrpc": "2.0",
    "id": "hello",
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "a", "version": "1"}},
}
_LAST = {"jsonrpc": "2.0", "id": "last", "method": "tools/list"}


def _messages() -> Iterator[bytes]:
    """Every field of every message with odd values, then lines that are no JSON."""
    for method in (
        "initialize",
        "notifications/cancelled",
        "notifications/progress",
        "tools/call",
        "ping",
        "nothing",
    ):
        for odd in _ODD:
            params = {"requestId": odd, "name": odd, "arguments": odd, "progressToken": odd}
            for message in (
                {"jsonrpc": "2.0", "method": method, "params": params},
                {"jsonrpc": "2.0", "id": odd, "method": method, "params": params},
                {"jsonrpc": "2.0", "id": odd, "method": method, "params": odd},
                {"jsonrpc": odd, "id": 1, "method": odd},
                {"jsonrpc": "2.0", "id": odd, "result": odd},
                {"jsonrpc": "2.0", "id": odd, "error": odd},
            ):
                yield json.dumps(message).encode()
    yield from (b"", b"\x00", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 100_000, b"[]", b"[1]", b"null", b'"' * 9)
    dice = random.Random(1)
    sound = json.dumps(_HELLO).encode()
    for _ in range(300):
        damaged = bytearray(sound)
        for _ in range(dice.randrange(1, 4)):
            damaged[dice.randrange(len(damaged))] = dice.choice([b for b in range(256) if b not in b"\n\r"])
        yield bytes(damaged)
    yield b'{"jsonrpc":"2.0","id":1,"method":"' + b"x" * 20_000_000 + b'"}'


def _hostile_lines(files: Files) -> Sequence[str]:
    lines = [json.dumps(_HELLO).encode(), *_messages(), json.dumps(_LAST).encode()]
    done = subprocess.run(
        [files.embed, "mcp"], input=b"\n".join(lines) + b"\n", capture_output=True, check=False, timeout=_PATIENCE
    )
    faults = []
    if done.returncode != 0:
        faults.append(f"exit code {done.returncode}")
    if b"Traceback" in done.stderr:
        faults.append("a traceback")
    if b'"id":"last"' not in done.stdout.replace(b" ", b""):
        faults.append("the last request was not answered")
    if len(done.stderr) > 1_000_000:
        faults.append("over 1 MB of log")
    return faults


def _garbage_calls(target: Target) -> str | None:
    """Random bytes to every method: each must end with a status of ours, never with UNKNOWN."""
    dice = random.Random(2)
    methods = [
        "/encoderfile.SentenceEmbedding/Predict",
        "/encoderfile.SentenceEmbedding/GetModelMetadata",
        "/grpc.health.v1.Health/Check",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "/no.Such/Method",
        "/",
    ]
    with grpc.insecure_channel(f"127.0.0.1:{target.grpc}") as channel:
        for _ in range(2000):
            method = dice.choice(methods)
            try:
                channel.unary_unary(method)(dice.randbytes(dice.randrange(200)), timeout=10)
            except grpc.RpcError as error:
                if error.code() is grpc.StatusCode.UNKNOWN and method.startswith("/encoderfile."):
                    return f"{method}: {error.code()} {error.details()}"
    return None


ATTACKS = [
    OnFile("hostile lines over stdio", _hostile_lines),
    OnServer("garbage in gRPC calls", _garbage_calls),
]
