"""Reading request bodies: content type and JSON."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request

from encoderfile.errors import InputError
from encoderfile.transports.bodies import read

__all__ = ["read", "read_json", "read_object"]


async def read_json(request: Request, max_body_bytes: int) -> object:
    """The decoded body.

    Raises `HTTPException` 415 and 413, and `InputError` for bytes that are no JSON or no Unicode.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json" and not (
        content_type.startswith("application/") and content_type.endswith("+json")
    ):
        raise HTTPException(415, "Expected request with `Content-Type: application/json`")
    return _decoded(await read(request, max_body_bytes))


async def read_object(request: Request, max_body_bytes: int) -> dict[str, Any]:
    """The decoded body of dialects that read JSON whatever the content type says.

    Raises `HTTPException` 413, and `InputError` for bytes that are no JSON object.
    """
    decoded = _decoded(await read(request, max_body_bytes))
    if not isinstance(decoded, dict):
        raise InputError("the body should be a JSON object")
    return decoded


def _decoded(data: bytes) -> object:
    try:
        decoded: object = orjson.loads(data)
        return decoded
    except orjson.JSONDecodeError as error:
        raise InputError(f"the body is not valid JSON ({error})") from error
