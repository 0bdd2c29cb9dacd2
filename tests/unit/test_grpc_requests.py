"""Places for the messages of calls: room is made for calls that wait, and not for those that are gone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from encoderfile.errors import QueueFullError
from encoderfile.transports import grpc_requests
from support.loop import in_loop, settle


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
    server: Any = None
    requests = grpc_requests.Requests(server, _refuse)

    def read(comes: bool) -> asyncio.Task[bytes | None]:
        call: Any = Call(comes)
        return asyncio.create_task(requests._read(call))

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
    assert requests._places == 2
