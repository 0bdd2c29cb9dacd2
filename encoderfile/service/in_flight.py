"""What is in flight: counted, so that a stop can wait for it."""

from __future__ import annotations

import asyncio
import contextlib


class InFlight:
    """Counts blocks that are being run, each a `with` of its own. For one event loop."""

    def __init__(self) -> None:
        self._count = 0
        self._none = asyncio.Event()

    def __enter__(self) -> None:
        self._count += 1
        self._none.clear()

    def __exit__(self, *_: object) -> None:
        self._count -= 1
        if self._count == 0:
            self._none.set()

    async def ended(self, seconds: float) -> bool:
        """Waits until none is left; False when `seconds` were not enough."""
        with contextlib.suppress(TimeoutError):
            if self._count:
                await asyncio.wait_for(self._none.wait(), seconds)
        return self._count == 0
