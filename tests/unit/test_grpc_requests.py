"""Places for the messages of calls: room is made for calls that wait, and not for those that are gone."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import grpc
import pytest

from encoderfile.errors import QueueFullError
from encoderfile.transports import grpc_requests
from support.loop import in_loop, settle

METHOD = "/test/Echo"


class Echo(grpc.GenericRpcHandler):
    """A service whose one method answers with the message it was sent."""

    def service(self, details: Any) -> Any:
        async def echo(message: bytes, _: Any) -> bytes:
            return message

        return grpc.unary_unary_rpc_method_handler(echo) if details.method == METHOD else None


class Server:
    """Keeps the handlers that are added to it."""

    def add_generic_rpc_handlers(self, handlers: Any) -> None:
        (self.handler,) = handlers


class Call:
    """A call whose message has come, or never does."""

    def __init__(self, comes: bool) -> None:
        self._comes = comes

    async def read(self) -> bytes:
        if not self._comes:
            await asyncio.Event().wait()
        return b"a message"


async def _refuse(context: Any, error: Exception) -> None:
    raise error


@in_loop
async def test_no_late_message_is_ended_for_a_call_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grpc_requests, "AT_A_TIME", 2)
    monkeypatch.setattr(grpc_requests, "HELD_SECONDS", 0.01)
    server: Any = Server()
    grpc_requests.Requests(server, _refuse).add_generic_rpc_handlers([Echo()])
    method = server.handler.service(SimpleNamespace(method=METHOD)).stream_unary

    def read(comes: bool) -> asyncio.Task[bytes]:
        return asyncio.create_task(method(None, Call(comes)))

    late = [read(comes=False), read(comes=False)]
    await settle(*late)
    gone, waits = read(comes=True), read(comes=True)
    await settle(gone, waits)
    gone.cancel()
    assert await waits == b"a message"
    await settle(*late)
    assert isinstance(late[0].exception(), QueueFullError), "it makes room for the one that waits"
    assert not late[1].done()
    late[1].cancel()
    await asyncio.gather(*late, gone, return_exceptions=True)
    monkeypatch.setattr(grpc_requests, "HELD_SECONDS", 60.0)
    both = [read(comes=False), read(comes=False)]
    await settle(*both)
    another = read(comes=True)
    await settle(another)
    assert not another.done(), "two places, as before"
    for each in (*both, another):
        each.cancel()
    await asyncio.gather(*both, another, return_exceptions=True)
