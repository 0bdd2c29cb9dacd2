"""Large answers: the numbers of those that are made and sent at a time are bounded together.

Small answers never wait. A large one is admitted before it is run, and counts until it has been sent.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from contextvars import ContextVar

from encoderfile.errors import QueueFullError

LARGE = 1 << 18
"""Numbers of an answer above which it counts: 1 MB as float32, 3 MB as JSON."""

PATIENCE_SECONDS = 30.0
"""How long an answer waits: those before it may be read slowly."""


class _Sending(ExitStack):
    """What is given back once an answer has been sent."""

    is_over = False


_current: ContextVar[_Sending | None] = ContextVar("sending", default=None)


@contextmanager
def sending() -> Iterator[None]:
    """The block in which an answer is made and sent: it counts until the block ends."""
    with _Sending() as scope:
        token = _current.set(scope)
        try:
            yield
        finally:
            _current.reset(token)
            scope.is_over = True


class LargeAnswers:
    """Counts the numbers of large answers in flight. For one event loop."""

    def __init__(self, size: int | None) -> None:
        """`size` bounds the numbers of all large answers together; one that is larger goes alone. None: no bound."""
        self._size = size
        self._used = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()
        self.waiting = 0
        """Texts whose answers wait to be admitted."""

    @asynccontextmanager
    async def admitted(self, values: int, texts: int) -> AsyncIterator[None]:
        """Waits, in turn, until `values` numbers more may be in flight, which are the answer to `texts` texts.

        They count until the block of `sending` ends; outside of one, until this block does. Raises `QueueFullError`
        where it takes too long.
        """
        if self._size is None or values < LARGE:
            yield
            return
        self.waiting += texts
        try:
            await self._take(values)
        finally:
            self.waiting -= texts
        with ExitStack() as block:
            scope = _current.get()
            (block if scope is None or scope.is_over else scope).callback(self._give, values)
            yield

    async def _take(self, values: int) -> None:
        if not self._waiting and self._fits(values):
            self._used += values
            return
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((values, granted))
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await granted
        except BaseException as error:
            if granted.done() and not granted.cancelled():
                self._give(values)
            elif (values, granted) in self._waiting:  # otherwise it was passed over already
                self._waiting.remove((values, granted))
                self._grant()  # what stood behind may fit
            if isinstance(error, TimeoutError):
                raise QueueFullError(
                    f"the server is busy with other large answers, and could not take {values} numbers more within "
                    f"{PATIENCE_SECONDS:g} s: send less at a time, or try again"
                ) from error
            raise

    def _fits(self, values: int) -> bool:
        return self._size is None or self._used == 0 or self._used + values <= self._size

    def _give(self, values: int) -> None:
        self._used -= values
        self._grant()

    def _grant(self) -> None:
        while self._waiting and self._fits(self._waiting[0][0]):
            values, granted = self._waiting.popleft()
            if not granted.cancelled():
                self._used += values
                granted.set_result(None)
