"""HTTP: a client that is slow to send or to read holds up nobody, and gets its own answer."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack

import httpx
import pytest

from encoderfile.service.limits import Limits
from encoderfile.service.service import Service
from encoderfile.transports.http.middleware import bodies
from support.clients import PATIENCE, HttpClient
from support.models import DEMO, open_model
from support.raw_connections import raw_connection, rest
from support.servers import Servers
from support.serving import http_server, started

BODY = json.dumps({"inputs": ["What a wonderful film!"]}).encode()
HEAD = (
    b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Connection: close\r\nContent-Length: %d\r\n\r\n"
)


@pytest.fixture
def http(servers: Servers) -> HttpClient:
    client: HttpClient = servers.shared("http", "sentiment")
    return client


@pytest.mark.proves(
    "ENC Beyond the page",
    "A slow client",
    here="Answered, and nobody waits for it; 408 when nothing comes for a minute.",
)
def test_a_body_that_comes_byte_by_byte_is_answered_and_holds_up_nobody(http: HttpClient, servers: Servers) -> None:
    async def trickle() -> bytes:
        async with raw_connection(servers.url("sentiment")) as (reader, writer):
            writer.write(HEAD % len(BODY))
            for byte in BODY:
                others = await http.http.post("/predict", json={"inputs": ["another"]}) if byte == ord("f") else None
                assert others is None or others.status_code == 200
                writer.write(bytes([byte]))
                await writer.drain()
            return await rest(reader)

    answer = servers.portal.call(trickle)
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"POSITIVE" in answer


@pytest.mark.proves("ENC Beyond the page", "A slow client")
def test_a_client_that_does_not_read_holds_up_nobody_and_gets_it_all_in_the_end(own: Servers) -> None:
    client = own.client("http", "embed-tokens")
    texts = ["word " * 250] * 32

    async def read_late() -> bytes:
        body = json.dumps({"inputs": texts, "normalize": True}).encode()
        async with raw_connection(str(client.http.base_url), limit=1 << 10) as (reader, writer):
            writer.write(HEAD % len(body) + body)
            begun = await asyncio.wait_for(reader.readexactly(8), PATIENCE)
            for _ in range(3):
                answer = await client.http.post("/predict", json={"inputs": ["another"], "normalize": True})
                assert answer.status_code == 200
            return begun + await rest(reader)

    head, _, body = own.portal.call(read_late).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert len(body) > 4 << 20
    assert len(json.loads(body)["results"]) == len(texts)


@pytest.mark.proves("ENC Beyond the page", "A slow client")
@pytest.mark.parametrize("path", ["/predict", "/mcp", "/v1/embeddings"])
def test_a_body_that_stops_coming_is_408_and_not_waited_for(
    path: str, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "PATIENCE_SECONDS", 0.1)

    async def stop_halfway() -> bytes:
        async with raw_connection(servers.url("sentiment")) as (reader, writer):
            writer.write((HEAD % len(BODY)).replace(b"/predict", path.encode()) + BODY[:5])
            return await rest(reader)

    answer = servers.portal.call(stop_halfway)
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout")
    assert b"The body stopped coming for 0.1 s; send it again" in answer


@pytest.mark.proves("ENC Beyond the page", "A slow client")
def test_a_client_that_stops_halfway_does_not_hold_up_the_end_of_the_server(own: Servers) -> None:
    async def stop_halfway() -> bytes:
        async with AsyncExitStack() as stack:
            service = await stack.enter_async_context(started(Service(open_model(DEMO["sentiment"]), Limits())))
            server = AsyncExitStack()
            url = await server.enter_async_context(http_server(service))
            reader, writer = await stack.enter_async_context(raw_connection(url))
            writer.write(HEAD % len(BODY) + BODY[:5])
            await writer.drain()
            async with httpx.AsyncClient(base_url=url) as other:
                assert (await other.get("/health")).status_code == 200
            assert await service.drain(0) is True
            await asyncio.wait_for(server.aclose(), PATIENCE)
            return await rest(reader)

    assert b"200 OK" not in own.portal.call(stop_halfway)
