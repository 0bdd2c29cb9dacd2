"""Long work on the event loop, cut into turns: others are answered in between."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")

_SECONDS = 0.002
"""How long a turn may take before the loop goes on; one item may take it further."""


async def in_turns(items: Iterable[T]) -> list[T]:
    """Collects `items`, which are made on the way, and lets the loop go on every other millisecond.

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
