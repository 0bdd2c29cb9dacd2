"""Long work on the event loop that yields to it: others are answered in between."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")

_SECONDS = 0.002
"""How long it works before the loop goes on; one item may take it further."""


async def cooperatively(items: Iterable[T]) -> list[T]:
    """Collects `items`, which are made on the way, and yields to the event loop every other millisecond.

    A thread would not do it: whoever makes the items holds the interpreter's lock meanwhile.
    """
    found: list[T] = []
    until = time.perf_counter() + _SECONDS
    for item in items:
        found.append(item)
        if time.perf_counter() >= until:
            await asyncio.sleep(0)
            until = time.perf_counter() + _SECONDS
    return found
