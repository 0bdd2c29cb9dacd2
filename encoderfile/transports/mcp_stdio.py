"""MCP over stdin and stdout: a JSON-RPC message a line. No line ends the conversation but the last."""

from __future__ import annotations

import os
from collections import Counter
from typing import IO, TYPE_CHECKING, Any

import anyio
import orjson
from anyio import to_thread

from encoderfile.service.service import Service
from encoderfile.transports.mcp_server import INVALID_REQUEST, PARSE_ERROR, build

if TYPE_CHECKING:
    from mcp_types import JSONRPCMessage

_MAX_UNANSWERED = 256
"""Requests that are at work before a further line is read."""


async def serve_stdio(service: Service, max_line_bytes: int) -> None:
    """Speaks MCP over stdin and stdout until stdin ends and everything asked before is answered.

    A line that is longer, or no message, is answered with an error. Meanwhile what others print goes to stderr.
    """
    # In the SDK's stead, whose reader takes lines of any length and ends with what it cannot write.
    # Neither is closed: that would wait for the thread that reads, which cannot be woken.
    lines, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    await _Conversation(service, lines, answers, max_line_bytes).run()


class _Conversation:
    """The lines of one client, and the answers to them."""

    def __init__(self, service: Service, lines: IO[bytes], answers: IO[bytes], max_line_bytes: int) -> None:
        from mcp.shared.message import SessionMessage

        self._server = build(service)
        self._lines = lines
        self._answers = answers
        self._max_line_bytes = max_line_bytes
        self._unanswered: Counter[Any] = Counter()
        self._answered = anyio.Condition()
        self._writing = anyio.Lock()
        self._ask, self._asked = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        self._tell, self._told = anyio.create_memory_object_stream[SessionMessage](0)

    async def run(self) -> None:
        """Returns when stdin has ended and what it asked is answered, or when nobody reads the answers."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._pass_lines)
            tasks.start_soon(self._pass_answers, tasks.cancel_scope)
            await self._server.run(self._asked, self._tell, self._server.create_initialization_options())

    async def _pass_lines(self) -> None:
        # The SDK drops what is in flight when its input ends; a script that pipes one request in wants the answer.
        async with self._ask:
            while line := await to_thread.run_sync(self._read, abandon_on_cancel=True):
                await self._pass(line)
                await self._fewer_than(_MAX_UNANSWERED)
            await self._fewer_than(1)

    def _read(self) -> bytes:
        """The next line with its newline, or without where it is too long; empty when stdin has ended."""
        line = rest = self._lines.readline(self._max_line_bytes + 1)
        while len(line) > self._max_line_bytes and rest and not rest.endswith(b"\n"):
            rest = self._lines.readline(1 << 16)
        return line

    async def _pass(self, line: bytes) -> None:
        """Hands a message to the SDK; refuses what is none, for its sender would wait for ever."""
        from mcp.shared.message import SessionMessage
        from mcp_types import JSONRPCNotification, JSONRPCRequest, jsonrpc_message_adapter

        if len(line) > self._max_line_bytes and not line.endswith(b"\n"):
            await self._refuse(f"a line is longer than {self._max_line_bytes} bytes; split the request", PARSE_ERROR)
            return
        try:
            message = jsonrpc_message_adapter.validate_json(line, by_name=False)
        except Exception:  # of pydantic, and of its parser at its limits
            given = _parsed(line).get("id")
            await self._refuse("a line is not a JSON-RPC message", PARSE_ERROR, given if _is_id(given) else None)
            return
        if isinstance(message, JSONRPCRequest):
            self._unanswered[message.id] += 1
        elif isinstance(message, JSONRPCNotification):
            if b'"id"' in line and "id" in _parsed(line):
                await self._refuse("the id of a request should be a string or an integer", INVALID_REQUEST)
                return
            # The one notification with this field: a request that is cancelled gets no answer.
            cancelled = (message.params or {}).get("requestId")
            if _is_id(cancelled):
                await self._settle(cancelled)
        await self._ask.send(SessionMessage(message))

    async def _pass_answers(self, conversation: anyio.CancelScope) -> None:
        async with self._told:
            async for message in self._told:
                if not await self._write(message.message):
                    conversation.cancel()  # the client has gone
                    return
                await self._settle(getattr(message.message, "id", None))

    async def _refuse(self, sentence: str, code: int, request: str | int | None = None) -> None:
        from mcp_types import ErrorData, JSONRPCError

        failure = ErrorData(code=code, message=f"Invalid input: {sentence}")
        await self._write(JSONRPCError(jsonrpc="2.0", id=request, error=failure))

    async def _write(self, message: JSONRPCMessage) -> bool:
        """False where stdout is closed."""
        line = message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n"
        async with self._writing:
            try:
                await to_thread.run_sync(self._print, line)
            except OSError:
                return False
        return True

    def _print(self, line: bytes) -> None:
        self._answers.write(line)
        self._answers.flush()

    async def _settle(self, request: Any) -> None:
        async with self._answered:
            self._unanswered[request] -= 1
            self._unanswered += Counter()  # those that are answered are forgotten
            self._answered.notify_all()

    async def _fewer_than(self, requests: int) -> None:
        async with self._answered:
            while self._unanswered.total() >= requests:
                await self._answered.wait()


def _is_id(value: object) -> bool:
    """Whether `value` can name a request; true would count as the number 1."""
    return isinstance(value, str | int) and not isinstance(value, bool)


def _parsed(line: bytes) -> dict[str, Any]:
    """The object of a line; empty where it is none."""
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
