"""Hostile clients against the built file: its memory and its log stay small, others are answered, it ends.

How long others waited is recorded with the result (`--junit-xml`), for a quiet machine to be judged by.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import resource
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from anyio.from_thread import BlockingPortal

from support.files import PATIENCE, BuiltFile, Server
from support.raw_connections import answer, raw_connection

MOST_MB = 600
MOST_LOG_BYTES = 1 << 20
CROWD = 1100
BODY = json.dumps({"inputs": ["What a wonderful film!"]}).encode()
HEAD = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
WITH_LENGTH = HEAD + b"Content-Length: %d\r\n\r\n"

Attack = Callable[[str], Awaitable[None]]


@pytest.fixture(autouse=True)
def _descriptors() -> Iterator[None]:
    """Enough descriptors for a crowd of clients."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2 * CROWD:
        pytest.skip("this process may not open enough connections")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def all_at_once(url: str, count: int, *pieces: bytes) -> None:
    """So many clients, each of whom sends `pieces` and reads to the end."""

    async def one() -> None:
        with suppress(ConnectionError, TimeoutError):  # cut off, which is as good an answer
            await answer(url, *pieces)

    await asyncio.gather(*(one() for _ in range(count)))


async def large_heads(url: str) -> None:
    await all_at_once(url, 100, b"GET / HTTP/1.1\r\n", *([b"X: " + b"a" * 65536] * 160))


async def large_trailers(url: str) -> None:
    start = HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"
    await all_at_once(url, 50, start, *([b"X: " + b"a" * 65536] * 160))


async def garbage(url: str) -> None:
    chance = random.Random(5)
    for _ in range(10):
        await all_at_once(url, 50, chance.randbytes(2000) + b"\r\n\r\n")


async def idle_crowd(url: str) -> None:
    async with AsyncExitStack() as crowd:
        for _ in range(CROWD):
            await crowd.enter_async_context(raw_connection(url))
        await asyncio.to_thread(httpx.get, f"{url}/health", timeout=PATIENCE)


async def unfinished_bodies(url: str) -> None:
    async with AsyncExitStack() as crowd:
        for _ in range(200):
            _, writer = await crowd.enter_async_context(raw_connection(url))
            writer.write(WITH_LENGTH % (4 << 20) + b"a" * ((4 << 20) - 1))
        await asyncio.to_thread(httpx.get, f"{url}/health", timeout=PATIENCE)


async def long_rows(url: str) -> None:
    await all_at_once(url, 50, (WITH_LENGTH % len(BODY) + BODY) * 1000)


async def watchers(url: str) -> None:
    upgrade = (
        b"GET /ws/status HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    async with AsyncExitStack() as crowd:
        for _ in range(300):
            reader, writer = await crowd.enter_async_context(raw_connection(url))
            writer.write(upgrade)
            await reader.readuntil(b"101")


class Others:
    """Clients who want nothing but an answer, meanwhile."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stop = threading.Event()
        self.seconds: list[float] = []
        self.statuses: set[int] = set()

    def ask(self) -> None:
        while not self._stop.is_set() or not self.seconds:
            for path, body in (("/health", None), ("/predict", BODY)):
                began = time.perf_counter()
                done = httpx.request(
                    "POST" if body else "GET",
                    self._url + path,
                    content=body,
                    headers={"content-type": "application/json"},
                    timeout=PATIENCE,
                )
                self.seconds.append(time.perf_counter() - began)
                self.statuses.add(done.status_code)

    @contextmanager
    def asking(self) -> Iterator[None]:
        thread = threading.Thread(target=self.ask)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()


def peak_mb(server: Server) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) >> 10


ATTACKS: Sequence[tuple[Attack, str]] = [
    (large_heads, "http"),
    (large_trailers, "http"),
    (garbage, "http"),
    (garbage, "grpc"),
    (idle_crowd, "http"),
    (unfinished_bodies, "http"),
    (long_rows, "http"),
    (watchers, "http"),
]


@pytest.mark.parametrize(("attack", "port"), ATTACKS, ids=[f"{attack.__name__}-{port}" for attack, port in ATTACKS])
def test_an_attack_costs_little_and_disturbs_nobody(
    attack: Attack,
    port: str,
    sentiment: BuiltFile,
    portal: BlockingPortal,
    clients: Any,
    record_property: Callable[[str, object], None],
) -> None:
    with sentiment.serve() as server:
        url = server.url
        others = Others(url)
        with others.asking():
            portal.call(attack, url if port == "http" else f"http://{server.grpc}")
        assert others.statuses == {200}
        assert len(clients("grpc", server, "sentiment").predict(["still there"]).results) == 1
        memory = peak_mb(server)
        assert server.end() == 0, server.text
    took = sorted(others.seconds)
    record_property("megabytes", memory)
    record_property("others_p99_seconds", took[int(len(took) * 0.99)])
    assert memory < MOST_MB
    assert len(server.text) < MOST_LOG_BYTES
    assert "Traceback" not in server.text
