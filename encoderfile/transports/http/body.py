"""Reading request bodies: content type, size limit, JSON."""

from __future__ import annotations

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from encoderfile.errors import InputError


async def read_json(request: Request, max_body_bytes: int) -> object:
    """The decoded body.

    Raises `HTTPException` 415 and 413, and `InputError` for bytes that are no JSON or no Unicode.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json" and not (
        content_type.startswith("application/") and content_type.endswith("+json")
    ):
        raise HTTPException(415, "Expected request with `Content-Type: application/json`")
    data = await read(request, max_body_bytes)
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise InputError(f"the body is not valid JSON ({error})") from error


async def read(request: Request, max_body_bytes: int) -> bytes:
    """The body's bytes. Raises `HTTPException` 413 as soon as it is known to be over the limit."""
    too_large = HTTPException(413, f"The body is larger than {max_body_bytes} bytes; split the request")
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > max_body_bytes:
        raise too_large
    chunks, size = [], 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > max_body_bytes:
                raise too_large
            chunks.append(chunk)
    except ClientDisconnect as error:
        raise HTTPException(400, "The client left before the body was complete") from error
    return b"".join(chunks)
