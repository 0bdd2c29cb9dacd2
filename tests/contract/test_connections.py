"""HTTP: connections have limits, of their heads, their patience and their number, and others go on meanwhile."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import Callable
from typing import Any

import pytest

from encoderfile.transports.http import listener, protocol
from support.clients import PATIENCE
from support.controlled_models import Gated
from support.raw_connections import answer, raw_connection, rest
from support.servers import Servers
from support.serving import http_server

BODY = json.dumps({"inputs": ["What a wonderful film!"]}).encode()
HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
PREDICT = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
CLOSE = b"Connection: close\r\n"
WATCH = (
    b"GET /ws/status HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
WITH_LENGTH = PREDICT + b"Content-Length: %d\r\n\r\n" % len(BODY)


@pytest.fixture(autouse=True)
def _look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "PAUSE_SECONDS", 0.01)


@pytest.fixture
def served(own: Servers) -> Callable[..., str]:
    """Starts a server of the test's own with the options it gives, and says where."""

    def serve(model: Any = "sentiment", **options: Any) -> str:
        return own.enter(http_server(own.service(model), **options))

    return serve


@pytest.mark.parametrize("sent", [b"", b"GET /health HTTP/1.1\r\nHo", b"G"])
def test_a_head_that_does_not_come_is_not_waited_for(
    sent: bytes, own: Servers, served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.05)
    assert own.portal.call(answer, served(), sent) == b""


def test_a_head_that_trickles_in_has_no_more_time_than_another(
    own: Servers, served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.1)
    url = served()

    async def trickle() -> bytes:
        async with raw_connection(url) as (reader, writer), raw_connection(url) as (other, asking):
            writer.write(b"GET /health HTTP/1.1\r\nX: ")
            while not reader.at_eof() and reader.exception() is None:
                writer.write(b"a")
                asking.write(HEALTH)  # a round trip, in the place of a clock
                await other.readuntil(b'"OK!"')
            return await rest(reader)

    async def within_patience() -> bytes:
        return await asyncio.wait_for(trickle(), PATIENCE)

    assert own.portal.call(within_patience) == b""


def test_a_kept_connection_ends_after_its_idle_time(
    own: Servers, served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "IDLE_SECONDS", 0.05)
    url = served()

    async def ask_and_wait() -> bytes:
        async with raw_connection(url) as (reader, writer):
            writer.write(HEALTH)
            return await rest(reader)

    assert own.portal.call(ask_and_wait).endswith(b'"OK!"')


LONG = b"a" * (protocol.MAX_HEAD_BYTES + 1)


@pytest.mark.parametrize(
    "head",
    [
        b"GET /health?" + LONG + b" HTTP/1.1\r\n\r\n",
        b"GET /health?" + LONG,
        b"GET /health HTTP/1.1\r\nX: " + LONG + b"\r\n\r\n",
        b"GET /health HTTP/1.1\r\n" + LONG,
        b"GET /health HTTP/1.1\r\n" + b"X: 1\r\n" * (protocol.MAX_FIELDS + 1) + b"\r\n",
        b"GET /health HTTP/1.1\r\n" + b"X: 1\r\n" * (protocol.MAX_FIELDS + 1) + b"\r\n\x16\x03\r\n\r\n",
        b"GET /health HTTP/1.1\r\n" + b"X: 1\r\n" * (protocol.MAX_FIELDS + 1) + b"\r\n" + HEALTH,
        PREDICT + b"Transfer-Encoding: chunked\r\n\r\n2;" + LONG * 3,
        PREDICT + b'Transfer-Encoding: chunked\r\n\r\n2\r\n{"\r\n0\r\nX: ' + LONG * 3,
    ],
    ids=[
        "line",
        "endless line",
        "field",
        "endless field",
        "fields",
        "fields and noise",
        "fields and a request",
        "chunk extension",
        "trailer",
    ],
)
def test_a_head_over_the_limit_is_431_and_the_client_can_read_that(
    head: bytes, own: Servers, served: Any, caplog: pytest.LogCaptureFixture
) -> None:
    said = own.portal.call(answer, served(), head)
    assert not caplog.records
    assert said.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    assert said.endswith(b"send fewer")


def test_a_head_just_under_the_limit_is_answered(own: Servers, served: Any) -> None:
    field = b"X: " + b"a" * (protocol.MAX_HEAD_BYTES - 200) + b"\r\n"
    said = own.portal.call(answer, served(), b"GET /health HTTP/1.1\r\nConnection: close\r\n" + field + b"\r\n")
    assert said.startswith(b"HTTP/1.1 200 OK\r\n")


def test_bytes_that_are_not_http_are_400_and_leave_no_trace_in_the_log(
    own: Servers, served: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert own.portal.call(answer, served(), b"\x16\x03\x01\x02\x00 hello\r\n\r\n").startswith(b"HTTP/1.1 400")
    assert not caplog.records


def test_one_more_connection_closes_the_one_that_was_idle_longest(own: Servers, served: Any) -> None:
    url = served(max_connections=2)

    async def three() -> bytes:
        async with raw_connection(url) as first, raw_connection(url) as second:
            for reader, writer in (first, second):
                writer.write(HEALTH)
                await reader.readuntil(b'"OK!"')
            async with raw_connection(url) as third:
                third[1].write(HEALTH)
                await third[0].readuntil(b'"OK!"')
                second[1].write(HEALTH)
                await second[0].readuntil(b'"OK!"')
                return await rest(first[0])

    assert own.portal.call(three) == b""


def test_when_every_connection_is_at_work_probes_are_answered_and_others_refused(
    own: Servers, served: Any, gated: Gated
) -> None:
    url = served(gated, max_connections=1)

    async def crowd() -> tuple[bytes, bytes, bytes, bytes]:
        async with raw_connection(url) as (reader, writer):
            writer.write(WITH_LENGTH.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + BODY)
            await asyncio.to_thread(gated.wait_until_running)
            probe = await answer(url, HEALTH.replace(b"Host", b"Connection: close\r\nHost"))
            refused = await answer(url, WITH_LENGTH + BODY)
            watcher = await answer(url, WATCH)
            gated.open()
            return await rest(reader), probe, refused, watcher

    answered, probe, refused, watcher = own.portal.call(crowd)
    assert b"POSITIVE" in answered
    assert probe.startswith(b"HTTP/1.1 200")
    assert refused.startswith(b"HTTP/1.1 503")
    assert b"retry-after: 1\r\n" in refused
    assert refused.endswith(b"try again in a moment")
    assert watcher.startswith(b"HTTP/1.1 403"), "watchers stay, and would take the place of every probe"


def test_requests_in_a_row_are_answered_in_order_and_too_many_end_with_the_connection(
    own: Servers, served: Any
) -> None:
    one = b"GET /%s HTTP/1.1\r\nHost: localhost\r\n\r\n"
    asked = b"".join(one % (b"health" if number % 2 else b"nothing") for number in range(500))
    said = own.portal.call(answer, served(), asked)
    statuses = re.findall(rb"HTTP/1.1 (\d+)", said)
    assert len(statuses) == protocol.MAX_PIPELINED + 1
    assert statuses == [b"200" if number % 2 else b"404" for number in range(len(statuses))]
    assert said.count(b"connection: close") == 1


@pytest.mark.parametrize("field", [b"Sec-WebSocket-Protocol: \xff\xfe", b"Connection: Upgrade, \xff"])
def test_a_handshake_that_is_not_ascii_is_400_and_leaves_no_trace_in_the_log(
    field: bytes, own: Servers, served: Any, caplog: pytest.LogCaptureFixture
) -> None:
    head = (
        WATCH.replace(b"Connection: Upgrade", field) if field.startswith(b"C") else WATCH[:-2] + field + b"\r\n\r\n"
    )
    assert own.portal.call(answer, served(), head).startswith(b"HTTP/1.1 400 ")
    assert not caplog.records


HTTP_2 = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        [HTTP_2 + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY],
        [HTTP_2[:40], HTTP_2[40:] + b"Content-Length: %d\r\n\r\n" % len(BODY), BODY[:9], BODY[9:]],
        [HTTP_2 + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(BODY) + BODY + b"\r\n0\r\n\r\n"],
    ],
    ids=["whole", "in chunks of our own", "chunked"],
)
def test_a_client_that_offers_http_2_is_answered_in_http_1(sent: list[bytes], own: Servers, served: Any) -> None:
    following = PREDICT + CLOSE + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
    said = own.portal.call(answer, served(), PREDICT + sent[0], *sent[1:], following)
    assert (said.count(b"HTTP/1.1 200 OK"), said.count(b"POSITIVE")) == (2, 2)


def test_many_offers_of_http_2_in_a_row_are_answered_like_other_requests(own: Servers, served: Any) -> None:
    asked = (b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + HTTP_2 + b"\r\n") * 500
    said = own.portal.call(answer, served(), asked)
    assert said.count(b"HTTP/1.1 200 OK") == protocol.MAX_PIPELINED + 1


@pytest.mark.parametrize("fields", [b"", b"Connection: Upgrade\r\nUpgrade: h2c\r\n"])
def test_a_tunnel_is_refused(fields: bytes, own: Servers, served: Any) -> None:
    said = own.portal.call(answer, served(), b"CONNECT localhost:80 HTTP/1.1\r\n" + CLOSE + fields + b"\r\n")
    assert said.startswith(b"HTTP/1.1 4")


@pytest.fixture
def lost(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set once a connection of the server has ended."""
    found = asyncio.Event()
    usual = protocol.HttpProtocol.connection_lost

    def noticed(self: protocol.HttpProtocol, error: Exception | None) -> None:
        usual(self, error)
        found.set()

    monkeypatch.setattr(protocol.HttpProtocol, "connection_lost", noticed)
    return found


async def never_read(url: str, lost: asyncio.Event) -> None:
    """Asks for a large answer and reads its beginning alone, until the server ends the connection."""
    body = json.dumps({"inputs": ["word " * 250] * 64, "normalize": True}).encode()
    async with raw_connection(url) as (reader, writer):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        writer.write(PREDICT + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        await reader.readexactly(8)
        connection = writer.transport
        assert isinstance(connection, asyncio.ReadTransport)
        connection.pause_reading()
        await asyncio.wait_for(lost.wait(), PATIENCE)


def test_a_client_that_reads_nothing_is_not_kept_for_ever(
    own: Servers, served: Any, lost: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "READ_SECONDS", 0.05)
    own.portal.call(never_read, served("embed-tokens"), lost)


def test_a_client_that_reads_on_and_on_is_not_kept_for_ever_either(
    own: Servers, served: Any, lost: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "READ_SECONDS", 0.05)
    monkeypatch.setattr(protocol, "SLOWEST_BYTES", 1 << 40)
    monkeypatch.setattr(protocol.HttpProtocol, "is_read", lambda *_: True)  # as if it had read a little each time
    own.portal.call(never_read, served("embed-tokens"), lost)


def test_a_client_that_reads_fast_enough_gets_all_of_its_answer(
    own: Servers, served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "READ_SECONDS", 0)  # the length of the answer alone counts
    monkeypatch.setattr(protocol.HttpProtocol, "is_read", lambda *_: True)
    body = json.dumps({"inputs": ["word " * 250] * 64, "normalize": True}).encode()
    said = own.portal.call(
        answer, served("embed-tokens"), PREDICT + CLOSE + b"Content-Length: %d\r\n\r\n" % len(body) + body
    )
    head, _, found = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert len(json.loads(found)["results"]) == 64
