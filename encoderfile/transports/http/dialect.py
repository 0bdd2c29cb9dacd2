"""What one family of clients expects: how bodies are read, answers written and failures told."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from encoderfile.errors import InputError, Kind
from encoderfile.service.json_chunks import Chunks, json_chunks
from encoderfile.transports.http import failures
from encoderfile.transports.http.failures import Failure

JSON, TEXT = "application/json", "text/plain"

Write = Callable[[Request, Any], tuple[Chunks, str]]
"""An answer's chunks and their media type; iterators in the content are lists that are made on the way."""


def read_json(data: bytes) -> object:
    """Raises `InputError` for bytes that are not JSON or not Unicode."""
    gc.disable()  # a million empty lists would be looked at again and again while they are made
    try:
        decoded: object = orjson.loads(data)
        return decoded
    except orjson.JSONDecodeError as error:
        raise InputError(f"the body is not valid JSON ({error})") from error
    finally:
        gc.enable()


def read_object(_: Request, data: bytes) -> dict[str, Any]:
    """A JSON object, whatever the content type says. Raises `InputError`."""
    decoded = read_json(data)
    if not isinstance(decoded, dict):
        raise InputError("the body should be a JSON object")
    return decoded


def json_response(body: bytes) -> Response:
    """JSON that is written already."""
    return Response(body, media_type=JSON)


def write_json(_: Request, content: Any) -> tuple[Chunks, str]:
    """JSON, whatever the client accepts."""
    return json_chunks(content), JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One way to speak HTTP. A route belongs to one."""

    name: str
    """What it is called in the documentation."""
    prefixes: tuple[str, ...]
    """Beginnings of its paths: what fails below one of them is told in its words, known route or not."""
    fail: Callable[[Failure], Response]
    error: Any
    """The type of the body that `fail` writes."""
    error_media: str = JSON
    statuses: Mapping[Kind, int]
    """One status per kind."""
    of_class: Mapping[type, int] = field(default_factory=dict)
    """Statuses of classes of errors, which come before those of kinds."""
    also: tuple[int, ...] = (404,)
    """Statuses of POST routes that no kind has."""
    check: Callable[[Request], None] = lambda _: None
    """Refuses a request for its headers, before its body is read."""
    read: Callable[[Request, bytes], object] = read_object
    """Decodes a body. Raises `InputError`."""
    write: Write = write_json
    media: tuple[str, ...] = (JSON,)
    """What `read` and `write` know."""
    headers: tuple[str, ...] = ()
    """Headers of answers in addition to those that all have."""

    def refuse(self, error: Exception) -> Response:
        """The response to a request that failed."""
        return self.fail(failures.read(error, self.statuses, self.of_class))


def _is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind == JSON or (kind.startswith("application/") and kind.endswith("+json"))


def _check_content_type(request: Request) -> None:
    if not _is_json(request.headers.get("content-type", "")):
        raise HTTPException(415, "Expected request with `Content-Type: application/json`")


PLAIN = Dialect(
    name="Encoderfile",
    prefixes=("",),
    fail=lambda failure: PlainTextResponse(failure.message, failure.status, failure.headers),
    error=str,
    error_media=TEXT,
    statuses=failures.STATUS,
    also=(415,),
    check=_check_content_type,
    read=lambda _, data: read_json(data),
)
"""Encoderfile's own: JSON in and out, and one sentence of plain text for a failure."""
