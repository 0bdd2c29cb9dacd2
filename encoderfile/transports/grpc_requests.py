"""Reading the message of a call: a bounded number of them at a time, for each may become as large as is allowed."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc.aio

from encoderfile.errors import InputError, QueueFullError

AT_A_TIME = 64
"""Messages that may be on their way. One more ends the call that has been sending its own for the longest."""

PATIENCE_SECONDS = 60.0
"""How long a message may take to come."""


class Requests:
    """The calls whose message has not come yet, the oldest first. For one event loop."""

    def __init__(self) -> None:
        self._coming: dict[asyncio.Task[Any], None] = {}

    async def read(self, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
        """The message of a call.

        Raises `InputError` when it does not come in time, `QueueFullError` when it comes so slowly that others
        take its place.
        """
        task = asyncio.current_task()
        assert task is not None
        if len(self._coming) >= AT_A_TIME:
            next(iter(self._coming)).cancel(msg=_MADE_ROOM)
        self._coming[task] = None
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                message = await context.read()
        except TimeoutError as error:
            raise InputError(f"the message did not come within {PATIENCE_SECONDS:g} s; send it again") from error
        except asyncio.CancelledError as error:
            if _MADE_ROOM not in error.args:
                raise
            task.uncancel()
            raise QueueFullError(
                "too many messages are on their way, and this is the oldest; send it again"
            ) from error
        finally:
            self._coming.pop(task, None)
        if message is grpc.aio.EOF:
            raise InputError("the call brought no message")
        data: bytes = message
        return data


_MADE_ROOM = "a newer message takes the place of this one"
