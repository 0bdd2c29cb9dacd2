"""Requests share the tokenizer: it gets their texts in chunks, in order.

The characters of a chunk are bounded, so that no request waits long, and a client disconnect stops its work soon.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from encoderfile.errors import InputError, QueueFullError
from encoderfile.model.pairs import Known
from encoderfile.model.reading import UnsettledError
from encoderfile.model.text_inputs import Readable, size
from encoderfile.service.threads import started
from encoderfile.tasks.preprocessor import Row
from encoderfile.types import AS_IT_STANDS, Asked, EncodedText

T = TypeVar("T")

_SHORT = 500
"""Characters that are tokenised at once, in 0.1 ms: handing them to a thread and back takes as long."""

CHUNK_CHARACTERS = 1 << 16
"""Characters of one chunk, unless a text is longer: they take 0.05 s, a tenth of that in the usual words."""

MAX_WAITING = 32
"""Requests for tokens that may wait: half a minute of work at most."""

Encode = Callable[[Sequence[Readable], Asked, Known, bool], list[EncodedText]]
"""`Model.encode`."""


class Encoding:
    """Tokenises on threads of its own. Use from one event loop."""

    def __init__(self, encode: Encode, threads: int) -> None:
        """At least two `threads`, so that a long chunk does not hold up everything. Raises `ConfigError`."""
        self._encode = encode
        self._threads = started(max(2, threads), "tokenize")
        # Texts that must be read whole, megabytes maybe: one at a time, to save memory.
        self._patient = started(1, "tokenize-long")
        self._whole: ThreadPoolExecutor | None = None
        self._for_whole = 0
        self.waiting = 0
        """Texts that wait for the tokenizer."""

    async def __call__(
        self,
        texts: Sequence[Readable],
        asked: Asked = AS_IT_STANDS,
        check: Callable[[Sequence[EncodedText]], None] = lambda _: None,
    ) -> list[EncodedText]:
        """All texts behind their prompt, in order; `check` sees each chunk before the next is read.

        Raises what the tokenizer and `check` raise; cancelled, it stops at the next chunk.
        """
        known = Known()
        prompt = len(asked.prompt)
        if sum(map(size, texts)) + len(texts) * prompt <= _SHORT:
            found = self._encode(texts, asked, known, True)
            check(found)
            return found
        run = asyncio.get_running_loop().run_in_executor
        found = []
        self.waiting += len(texts)
        try:
            for chunk in chunks(texts, prompt):
                try:
                    found += await run(self._threads, self._encode, chunk, asked, known, False)
                except UnsettledError:
                    found += await run(self._patient, self._encode, chunk, asked, known, True)
                self.waiting -= len(chunk)
                check(found[-len(chunk) :])
        except InputError as error:
            error.index = None if error.index is None else error.index + len(found)  # of the chunk so far
            raise
        finally:
            self.waiting -= len(texts) - len(found)
        return found

    async def alone(self, work: Callable[..., T], *arguments: object) -> T:
        """Long work at the tokenizer, one at a time."""
        return await asyncio.get_running_loop().run_in_executor(self._patient, work, *arguments)

    async def whole(self, work: Callable[..., T], *arguments: object) -> T:
        """Work of requests for tokens alone, one at a time and in nobody's way.

        Its thread is started for the first. Raises `QueueFullError` when many wait.
        """
        if self._for_whole >= MAX_WAITING:
            raise QueueFullError(f"{self._for_whole} requests for tokens are waiting, the most that may: try again")
        if self._whole is None:
            self._whole = started(1, "tokenize-whole")
        self._for_whole += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._whole, work, *arguments)
        finally:
            self._for_whole -= 1

    def stop(self) -> None:
        """Begins no further chunk."""
        for threads in (self._threads, self._patient, self._whole):
            if threads is not None:
                threads.shutdown(wait=False, cancel_futures=True)


def chunks(texts: Sequence[Readable], prompt: int = 0) -> Iterator[Sequence[Readable]]:
    """Splits `texts`, with `prompt` characters before each; a query that neighbours share counts once."""
    start, held, shared = 0, 0, ""
    for index, each in enumerate(texts):
        text = each.text if isinstance(each, Row) else each
        more = prompt + size(text)
        if isinstance(text, tuple) and text[0] is shared:
            more = len(text[1])
        if held and held + more > CHUNK_CHARACTERS:
            yield texts[start:index]
            start, held = index, 0
        held += more
        shared = text[0] if isinstance(text, tuple) else shared
    if start < len(texts):
        yield texts[start:] if start else texts
