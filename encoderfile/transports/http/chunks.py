"""A response that is sent in the chunks it was written in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_BYTES = 1 << 18
"""Of one write, about: less costs calls, more holds the event loop up."""


class Chunks(Response):
    """A body whose length is known; joined, a large answer would be copied twice on the event loop."""

    def __init__(
        self,
        chunks: Sequence[bytes | memoryview],
        headers: Mapping[str, str],
        media_type: str = "application/json",
    ) -> None:
        length = sum(len(chunk) for chunk in chunks)
        super().__init__(headers={**headers, "Content-Length": str(length)}, media_type=media_type)
        self._chunks = chunks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        block: list[bytes | memoryview] = []
        size = 0
        for chunk in self._chunks:
            block.append(chunk)
            size += len(chunk)
            if size >= _BYTES:
                await send({"type": "http.response.body", "body": b"".join(block), "more_body": True})
                block, size = [], 0
        await send({"type": "http.response.body", "body": b"".join(block)})
