"""gRPC: what cannot be read is a status and no line of the log, and late messages make room for others."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator

import grpc
import grpc.aio
import pytest

from encoderfile.transports import grpc_requests
from encoderfile.transports._pb import encoderfile_pb2 as pb
from support.clients import PATIENCE
from support.raw_connections import answer
from support.servers import Servers
from support.serving import grpc_server

PREDICT = "/encoderfile.SequenceClassification/Predict"
ASKED = pb.SequenceClassificationRequest(inputs=["What a wonderful film!"]).SerializeToString()
METHODS = [
    PREDICT,
    "/encoderfile.SequenceClassification/GetModelMetadata",
    "/encoderfile.sequence_classification.SequenceClassificationInference/Predict",
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
]


@pytest.fixture
def address(own: Servers) -> str:
    return own.enter(grpc_server(own.service()))[1]


async def status(address: str, method: str, messages: Iterator[bytes] | list[bytes]) -> grpc.StatusCode:
    async with grpc.aio.insecure_channel(address) as channel:
        call = channel.stream_stream(method)(iter(messages), timeout=PATIENCE)
        try:
            async for _ in call:
                pass
        except grpc.aio.AioRpcError as error:
            return error.code()
        return grpc.StatusCode.OK


@pytest.mark.parametrize("method", METHODS)
def test_bytes_that_are_not_a_message_are_invalid_and_not_logged(
    method: str, address: str, own: Servers, caplog: pytest.LogCaptureFixture
) -> None:
    assert own.portal.call(status, address, method, [b"\xff\xff\xff"]) is grpc.StatusCode.INVALID_ARGUMENT
    assert not caplog.records


@pytest.mark.parametrize("method", METHODS[:5])
def test_a_call_without_a_message_is_invalid(method: str, address: str, own: Servers) -> None:
    assert own.portal.call(status, address, method, []) is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    "path", ["/", "//", "/x/y", "/encoderfile.SequenceClassification/", "/grpc.health.v1.Health/"]
)
def test_a_path_that_is_not_a_method_is_unimplemented(
    path: str, address: str, own: Servers, caplog: pytest.LogCaptureFixture
) -> None:
    assert own.portal.call(status, address, path, [ASKED]) is grpc.StatusCode.UNIMPLEMENTED
    assert not caplog.records


def test_random_bytes_on_the_port_disturb_nobody(
    address: str, own: Servers, caplog: pytest.LogCaptureFixture
) -> None:
    chance = random.Random(11)
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    for start in (b"", preface, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"):
        for _ in range(5):
            own.portal.call(answer, f"http://{address}", start + b"\xff" * 9 + chance.randbytes(400))
    assert own.portal.call(status, address, PREDICT, [ASKED]) is grpc.StatusCode.OK
    assert not caplog.records


def test_metadata_over_the_limit_is_refused_and_the_connection_goes_on(address: str, own: Servers) -> None:
    async def two_calls() -> tuple[grpc.StatusCode, int]:
        async with grpc.aio.insecure_channel(address) as channel:
            ask = channel.unary_unary(PREDICT)
            with pytest.raises(grpc.aio.AioRpcError) as failure:
                await ask(ASKED, metadata=(("x", "a" * (100 << 10)),), timeout=PATIENCE)
            return failure.value.code(), len(await ask(ASKED, timeout=PATIENCE))

    code, size = own.portal.call(two_calls)
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert size


def test_messages_that_do_not_come_make_room_for_those_that_do(own: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grpc_requests, "AT_A_TIME", 2)
    monkeypatch.setattr(grpc_requests, "HELD_SECONDS", 0.05)
    _, address = own.enter(grpc_server(own.service()))
    never = asyncio.Event()

    async def nothing() -> AsyncIterator[bytes]:
        await never.wait()
        yield b""

    async def crowd() -> tuple[int, set[grpc.StatusCode]]:
        async with grpc.aio.insecure_channel(address) as channel:
            held = [channel.stream_unary(PREDICT)(nothing(), timeout=PATIENCE) for _ in range(4)]
            # Which of them the server began to read first is chance, and one alone may wait for nobody's sake.
            while sum(call.done() for call in held) < 2:
                answered = await channel.unary_unary(PREDICT)(ASKED, timeout=PATIENCE)
            ended = {await call.code() for call in held if call.done()}
            for call in held:
                call.cancel()
            return len(answered), ended

    async def within_patience() -> tuple[int, set[grpc.StatusCode]]:
        return await asyncio.wait_for(crowd(), PATIENCE)

    size, ended = own.portal.call(within_patience)
    assert size
    assert ended == {grpc.StatusCode.RESOURCE_EXHAUSTED}


def test_a_message_that_stops_coming_is_not_waited_for(own: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grpc_requests, "PATIENCE_SECONDS", 0.05)
    _, address = own.enter(grpc_server(own.service()))
    never = asyncio.Event()

    async def nothing() -> AsyncIterator[bytes]:
        await never.wait()
        yield b""

    async def ask() -> grpc.aio.AioRpcError:
        async with grpc.aio.insecure_channel(address) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as failure:
                await channel.stream_unary(PREDICT)(nothing(), timeout=PATIENCE)
            return failure.value

    failure = own.portal.call(ask)
    assert failure.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "did not come within" in (failure.details() or "")


def test_a_call_without_the_key_is_refused_before_its_message_is_read(own: Servers) -> None:
    _, address = own.enter(grpc_server(own.service(), api_key="secret"))
    never = asyncio.Event()

    async def nothing() -> AsyncIterator[bytes]:
        await never.wait()
        yield b""

    async def ask() -> grpc.StatusCode:
        async with grpc.aio.insecure_channel(address) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as failure:
                await channel.stream_unary(PREDICT)(nothing(), timeout=PATIENCE)
            return failure.value.code()

    assert own.portal.call(ask) is grpc.StatusCode.UNAUTHENTICATED
