"""Reading a request's body up to the limit: shared by the routes of HTTP and MCP."""

from __future__ import annotations

import asyncio
import time

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

PATIENCE_SECONDS = 60.0
"""How long a body may pause before the rest of it is no longer waited for."""

SLOWEST_BYTES_PER_SECOND = 16 << 10
"""What a body must keep up with, beside pauses of `PATIENCE_SECONDS` in all."""


async def read(request: Request, max_body_bytes: int) -> bytes:
    """The body's bytes.

    Raises `HTTPException`: 413 as soon as the body is known to be over the limit, 408 when it stops coming or comes
    too slowly; and whatever the server's limit on all bodies together raises.
    """
    too_large = HTTPException(413, f"The body is larger than {max_body_bytes} bytes; split the request")
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > max_body_bytes:
        raise too_large
    chunks: list[bytes] = []
    size, lag = 0, 0.0
    stream = request.stream()
    started = time.monotonic()
    try:
        while True:
            lag = time.monotonic() - started - size / SLOWEST_BYTES_PER_SECOND
            async with asyncio.timeout(PATIENCE_SECONDS - max(0.0, lag)):
                chunk = await anext(stream, None)
            if chunk is None:
                return b"".join(chunks)
            size += len(chunk)
            if size > max_body_bytes:
                raise too_large
            chunks.append(chunk)
    except TimeoutError as error:
        what = f"stopped coming for {PATIENCE_SECONDS:g} s"
        if lag > PATIENCE_SECONDS / 2:  # the pause at the end was but a part of it
            what = f"came at less than {SLOWEST_BYTES_PER_SECOND >> 10} KiB/s for too long"
        raise HTTPException(408, f"The body {what}; send it again") from error
    except ClientDisconnect as error:
        raise HTTPException(400, "The client left before the body was complete") from error
