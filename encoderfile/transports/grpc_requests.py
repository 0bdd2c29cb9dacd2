"""Reading the messages of calls: a bounded number of them at a time, for each may become as large as is allowed.

grpc itself reads the message of any call that comes, and logs a traceback for one that cannot be parsed.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from encoderfile.errors import EncoderfileError, InputError, QueueFullError

AT_A_TIME = 64
"""Messages that are read at a time; of the others no more than a stream's first window is taken."""

HELD_SECONDS = 0.25
"""How long a message may take to come while others wait to be read: then its call ends."""

_LAG_SECONDS = 0.05
"""Delay of the event loop from which on it is this server that is late, and not the messages."""

PATIENCE_SECONDS = 60.0
"""How long a message may take to come."""


_Context = grpc.aio.ServicerContext[Any, Any]


class Requests:
    """Stands for a server where services are added to it, and reads for their methods. For one event loop."""

    def __init__(
        self, server: grpc.aio.Server, refuse: Callable[[_Context, EncoderfileError], Awaitable[None]]
    ) -> None:
        """`refuse` ends a call with an error's status, by raising."""
        self._server = server
        self._refuse = refuse
        self._places = AT_A_TIME
        self._waiting: dict[asyncio.Future[None], None] = {}
        """Calls that wait to be read. The newest is next, for what has waited long waits for nobody's sake."""
        self._coming: dict[asyncio.Task[Any], float] = {}
        """The calls whose message is being read, the oldest first, and since when."""
        self._late: set[asyncio.Task[Any]] = set()
        """Those that were ended to make room."""
        self._look: asyncio.TimerHandle | None = None

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        """As `grpc.aio.Server` has it."""
        self._server.add_generic_rpc_handlers([_Reading(each, self._reading) for each in handlers])

    def add_registered_method_handlers(self, _: str, __: dict[str, Any]) -> None:
        """As `grpc.aio.Server` has it, where it does nothing."""

    def _reading(self, handler: Any) -> Any:
        """A handler that is given a stream, whatever the method takes, and reads from it itself."""
        behaviour = next(
            each
            for each in (handler.unary_unary, handler.unary_stream, handler.stream_unary, handler.stream_stream)
            if each is not None
        )
        parse = handler.request_deserializer or bytes

        async def messages(context: _Context) -> AsyncIterator[Any]:
            while (data := await self._read(context)) is not None:
                yield _parsed(parse, data)

        async def message(context: _Context) -> Any:
            data = await self._read(context)
            if data is None:
                raise InputError("the call brought no message")
            return _parsed(parse, data)

        async def answer(_: Any, context: _Context) -> Any:
            try:
                asked = messages(context) if handler.request_streaming else await message(context)
                result = behaviour(asked, context)
                if not inspect.isasyncgen(result):
                    return await result
                async for each in result:
                    await context.write(each)
            except EncoderfileError as error:
                await self._refuse(context, error)

        make = (
            grpc.stream_stream_rpc_method_handler
            if handler.response_streaming
            else grpc.stream_unary_rpc_method_handler
        )
        return make(answer, None, handler.response_serializer)

    async def _read(self, context: _Context) -> bytes | None:
        """The next message of a call; None at the end.

        Raises `InputError` when it does not come in time, `QueueFullError` when it is late and others wait.
        """
        await self._place()
        task = asyncio.current_task()
        assert task is not None
        self._coming[task] = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                message = await context.read()
        except TimeoutError as error:
            raise InputError(f"the message did not come within {PATIENCE_SECONDS:g} s; send it again") from error
        except asyncio.CancelledError as error:
            if task not in self._late:
                raise
            task.uncancel()
            raise QueueFullError("too many messages are on their way, and this one is late; send it again") from error
        finally:
            del self._coming[task]
            self._late.discard(task)
            self._leave()
        return None if message is grpc.aio.EOF else bytes(message)

    async def _place(self) -> None:
        if self._places:
            self._places -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting[turn] = None
        self._look_later()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._waiting.pop(turn, None)  # or room would be made for it
            else:
                self._leave()  # its turn had come
            raise

    def _leave(self) -> None:
        while self._waiting:
            turn, _ = self._waiting.popitem()
            if not turn.done():  # else its call is gone
                turn.set_result(None)
                return
        self._places += 1

    def _look_later(self) -> None:
        if self._look is None:
            self._look = asyncio.get_running_loop().call_later(HELD_SECONDS, self._make_room)

    def _make_room(self) -> None:
        """Ends as many calls as others wait, of those whose message has been coming for too long."""
        assert self._look is not None
        due, self._look = self._look.when(), None
        if not self._waiting:
            return
        now = asyncio.get_running_loop().time()
        if now < due + _LAG_SECONDS:
            late = [task for task, since in self._coming.items() if since <= now - HELD_SECONDS]
            for task in late[: len(self._waiting)]:
                self._late.add(task)
                task.cancel()
        self._look_later()


class _Reading(grpc.GenericRpcHandler):
    """The handlers of a service, each made to read by `reading` when it is called first."""

    def __init__(self, service: grpc.GenericRpcHandler, reading: Callable[[Any], Any]) -> None:
        self._service = service
        self._reading = reading
        self._known: dict[str, Any] = {}

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        method = str(details.method)
        if method not in self._known:
            handler = self._service.service(details)
            if handler is None:
                return None
            self._known[method] = self._reading(handler)
        return self._known[method]


def _parsed(parse: Callable[[bytes], Any], data: bytes) -> Any:
    try:
        return parse(data)
    except DecodeError as error:
        raise InputError("the bytes are no message of this method") from error
