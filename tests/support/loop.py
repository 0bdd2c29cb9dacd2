"""Tests that are coroutines, each in an event loop of its own."""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any


def in_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Runs a coroutine test to its end."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


async def settle(*tasks: "asyncio.Task[Any]") -> None:
    """Lets every task that can go on without new events do so once."""
    await asyncio.wait(tasks, timeout=0)
