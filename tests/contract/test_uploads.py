"""HTTP: a refusal reaches a client that is still sending, and large bodies of some leave room for those of others."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from encoderfile.transports.http.middleware import bodies
from support.clients import PATIENCE, HttpClient
from support.raw_connections import answer, raw_connection, rest
from support.servers import Servers
from support.serving import http_server

LIMIT = 1000
BODY = json.dumps({"inputs": ["What a wonderful film!"]}).encode()
LARGE = b"a" * (1 << 20)
HEAD = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
WITH_LENGTH = HEAD + b"Content-Length: %d\r\n"
REFUSAL = b"The body is larger than 1000 bytes; split the request"


@pytest.fixture
def url(own: Servers) -> str:
    return own.enter(http_server(own.service(), max_body_bytes=LIMIT, api_key="secret"))


def keyed(head: bytes) -> bytes:
    return head + b"Authorization: Bearer secret\r\n"


CLOSE = b"Connection: close\r\n"


@pytest.mark.parametrize(
    "asked",
    [
        keyed(WITH_LENGTH % len(LARGE)) + CLOSE + b"\r\n" + LARGE,
        keyed(WITH_LENGTH % len(LARGE)).replace(b"HTTP/1.1", b"HTTP/1.0") + b"\r\n" + LARGE,
        keyed(HEAD) + CLOSE + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(LARGE) + LARGE + b"\r\n0\r\n\r\n",
    ],
    ids=["close", "HTTP/1.0", "chunked"],
)
def test_a_body_over_the_limit_is_read_to_its_end_before_it_is_refused(asked: bytes, url: str, own: Servers) -> None:
    said = own.portal.call(answer, url, asked)
    assert said.startswith(b"HTTP/1.1 413 ")
    assert said.endswith(REFUSAL)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (WITH_LENGTH, b"401"),
        (keyed(WITH_LENGTH).replace(b"/predict", b"/nothing"), b"404"),
        (keyed(WITH_LENGTH).replace(b"/predict", b"/health"), b"405"),
        (keyed(WITH_LENGTH).replace(b"application/json", b"text/plain"), b"415"),
        (keyed(WITH_LENGTH).replace(b"/predict", b"/mcp"), b"413"),
        (keyed(WITH_LENGTH).replace(b"/predict", b"/v1/embeddings"), b"413"),
    ],
)
def test_whatever_is_answered_before_a_body_was_read_leaves_the_connection_usable(
    head: bytes, status: bytes, url: str, own: Servers
) -> None:
    following = keyed(WITH_LENGTH % len(BODY)) + CLOSE + b"\r\n" + BODY
    said = own.portal.call(answer, url, head % len(LARGE) + b"\r\n" + LARGE, following)
    assert said.startswith(b"HTTP/1.1 " + status)
    assert b"HTTP/1.1 200 OK" in said
    assert b"POSITIVE" in said


def test_a_client_that_asks_before_it_sends_is_refused_without_its_body(url: str, own: Servers) -> None:
    head = keyed(WITH_LENGTH % len(LARGE)) + b"Expect: 100-continue\r\n\r\n"

    async def ask_first() -> bytes:
        async with raw_connection(url) as (reader, writer):
            writer.write(head)
            return await reader.readuntil(REFUSAL)

    said = own.portal.call(ask_first)
    assert said.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close\r\n" in said, "what it sends next would be taken for the body"


def test_a_client_that_never_stops_sending_is_answered_all_the_same(
    url: str, own: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "DISCARD_BYTES", 10 * LIMIT)
    monkeypatch.setattr(bodies, "DISCARD_SECONDS", 0.1)

    async def send_on() -> bytes:
        async with raw_connection(url) as (reader, writer):
            writer.write(keyed(HEAD) + b"Transfer-Encoding: chunked\r\n\r\n")
            for _ in range(2 * 10):
                writer.write(b"%x\r\n" % LIMIT + b"a" * LIMIT + b"\r\n")
                await writer.drain()
            return await rest(reader)

    said = own.portal.call(send_on)
    assert said.startswith(b"HTTP/1.1 413 ")
    assert said.endswith(REFUSAL)


def test_large_bodies_have_a_bound_together_and_small_ones_are_answered(
    own: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "LARGEST_AT_A_TIME", 2)
    size = 4 * bodies.ALWAYS_BYTES
    url = own.enter(http_server(own.service(), max_body_bytes=size))
    head = WITH_LENGTH % size + CLOSE + b"\r\n"
    almost = b"a" * (size - 1)

    async def three_large_ones() -> tuple[bytes, bytes, bytes]:
        async with raw_connection(url) as first, raw_connection(url) as second:
            for reader, writer in (first, second):
                writer.write(head + almost)
                await writer.drain()
                assert not reader.at_eof()
            while True:
                refused = await answer(url, head, almost + b"a")
                if refused.startswith(b"HTTP/1.1 503"):
                    break  # until the first two have arrived it is read, and is no JSON
                assert refused.startswith(b"HTTP/1.1 422")
            small = await answer(url, WITH_LENGTH % len(BODY) + CLOSE + b"\r\n" + BODY)
            for _, writer in (first, second):
                writer.write(b"a")
            ended = await rest(first[0])
            await rest(second[0])
        return refused, small, ended

    async def within_patience() -> tuple[bytes, bytes, bytes]:
        return await asyncio.wait_for(three_large_ones(), PATIENCE)

    refused, small, ended = own.portal.call(within_patience)
    assert b"retry-after: 1\r\n" in refused
    assert refused.endswith(b"the most that is kept; try again in a moment")
    assert b"POSITIVE" in small
    assert ended.startswith(b"HTTP/1.1 422")
    again = own.portal.call(answer, url, head, almost + b"a")
    assert again.startswith(b"HTTP/1.1 422"), "what they had is free again"


def test_a_body_that_comes_too_slowly_is_408_though_it_never_stops(
    own: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(bodies, "LATE_SECONDS", 0.2)
    url = own.enter(http_server(own.service()))
    other: HttpClient = own.client("http")

    async def trickle() -> bytes:
        async with raw_connection(url) as (reader, writer):
            writer.write(WITH_LENGTH % 100_000 + b"\r\n")
            # Read as it comes: what a reader still holds when the connection is reset it gives to nobody.
            reading = asyncio.create_task(rest(reader))
            while not reading.done():
                writer.write(b"a")
                await other.http.get("/health")  # a round trip, in the place of a clock
            return await reading

    async def within_patience() -> bytes:
        return await asyncio.wait_for(trickle(), PATIENCE)

    said = own.portal.call(within_patience)
    assert said.startswith(b"HTTP/1.1 408 ")
    assert said.endswith(b"The body came at less than 16 KiB/s for too long; send it again")


def test_a_real_client_reads_the_refusal_of_a_body_in_chunks(own: Servers) -> None:
    client: HttpClient = own.client("http", "sentiment", max_body_bytes=LIMIT)

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b"a" * (64 << 10)

    headers = {"content-type": "application/json", "connection": "close"}
    response = client.request("POST", "/predict", content=chunks(), headers=headers)
    assert (response.status_code, response.content) == (413, REFUSAL)
