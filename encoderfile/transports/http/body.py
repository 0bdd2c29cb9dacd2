"""Reading request bodies: content type and JSON."""

from __future__ import annotations

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request

from encoderfile.errors import InputError
from encoderfile.transports.bodies import read

__all__ = ["read", "read_json"]


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
