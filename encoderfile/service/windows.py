"""Texts that are longer than the limit, read in windows that overlap: their entities are those of all windows."""

from __future__ import annotations

import itertools
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from encoderfile.service.cooperative import cooperatively
from encoderfile.tasks.abilities import Extracted
from encoderfile.tasks.entities import merged
from encoderfile.types import EncodedText, Timing

MAX_WINDOWS = 2048
"""Of one text of a request to a server: each holds its tokens until it is run."""

_AT_A_TIME = 256
"""Windows whose results are kept until their texts are done; those of one text are run together."""

Read = Callable[[str], Awaitable[list[EncodedText]]]
Run = Callable[[list[EncodedText]], Awaitable[tuple[Sequence[Any], float]]]


class Windows:
    """The windows of the texts of one request."""

    def __init__(self, read: Read, run: Run, extract: Callable[[Any, str], Extracted]) -> None:
        """`read` gives the windows of a text, `run` their results and the seconds in the queue."""
        self._read, self._run, self._extract = read, run, extract
        self.token_count = 0
        self.timing = Timing()

    async def extracted(self, texts: Sequence[str]) -> list[Extracted]:
        """What is found in each text. Raises what `read` and `run` raise."""
        found: list[Extracted] = []
        held: list[tuple[str, list[EncodedText]]] = []
        for text in texts:
            started = time.perf_counter()
            held.append((text, await self._read(text)))
            self._took(tokenization=time.perf_counter() - started)
            if sum(len(windows) for _, windows in held) >= _AT_A_TIME:
                found += await self._answers(held)
                held = []
        return found + (await self._answers(held) if held else [])

    async def _answers(self, texts: Sequence[tuple[str, list[EncodedText]]]) -> list[Extracted]:
        started = time.perf_counter()
        rows = [window for _, windows in texts for window in windows]
        results, queued = await self._run(rows)
        left = iter(results)
        found = []
        for text, windows in texts:
            mine = itertools.islice(left, len(windows))
            parts = await cooperatively(self._extract(result, text) for result in mine)
            found.append(parts[0] if len(parts) == 1 else Extracted(tuple(merged([part.entities for part in parts]))))
        self.token_count += sum(map(len, rows))
        self._took(queue=queued, inference=time.perf_counter() - started - queued)
        return found

    def _took(self, tokenization: float = 0.0, queue: float = 0.0, inference: float = 0.0) -> None:
        now = self.timing
        self.timing = Timing(now.tokenization + tokenization, now.queue + queue, now.inference + inference)
