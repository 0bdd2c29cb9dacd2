"""Refusals as SIE's clients read them: `{"detail": {"code", "message"}, "code"}`, always JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.responses import Response

from encoderfile.errors import EncoderfileError, InputError, InternalError, Kind, TooLongError
from encoderfile.transports.http.names import ModelNotFoundError

STATUS: dict[Kind, int] = {
    Kind.INVALID_ARGUMENT: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.RESOURCE_EXHAUSTED: 503,
    Kind.UNAVAILABLE: 503,
    Kind.INTERNAL: 500,
    Kind.FAILED_PRECONDITION: 500,
}
"""One status per kind."""

CODES: dict[Kind, str] = {
    Kind.INVALID_ARGUMENT: "INVALID_INPUT",
    Kind.UNAUTHENTICATED: "UNAUTHENTICATED",
    Kind.RESOURCE_EXHAUSTED: "QUEUE_FULL",
    Kind.UNAVAILABLE: "MODEL_NOT_LOADED",
    Kind.INTERNAL: "INFERENCE_ERROR",
    Kind.FAILED_PRECONDITION: "INTERNAL_ERROR",
}
"""One code per kind."""

_HTTP_CODES = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED", 413: "INPUT_TOO_LONG"}


class ProfileMismatchError(InputError):
    """The request is meant for another machine."""

    def __init__(self, message: str, requested: str, device: str) -> None:
        super().__init__(message)
        self.facts: Mapping[str, Any] = {"requested_profile": requested, "worker_identity": device}


def refuse(error: Exception) -> Response:
    """The answer to a request that failed."""
    if isinstance(error, HTTPException):
        code = _HTTP_CODES.get(error.status_code, "INVALID_INPUT")
        if isinstance(error, ModelNotFoundError):
            code = "MODEL_NOT_FOUND"
        return _answer(error.status_code, code, error.detail, dict(error.headers or {}))
    kind = error.kind if isinstance(error, EncoderfileError) else Kind.INTERNAL
    code = "INPUT_TOO_LONG" if isinstance(error, TooLongError) else CODES[kind]
    if not isinstance(error, EncoderfileError):
        code, error = "INTERNAL_ERROR", InternalError.unforeseen()
    headers = {"Retry-After": "1"} if STATUS[kind] == 503 else {}
    if kind is Kind.UNAUTHENTICATED:
        headers["WWW-Authenticate"] = "Bearer"
    facts = error.facts if isinstance(error, ProfileMismatchError) else {}
    return _answer(STATUS[kind], code, str(error), headers, facts)


def _answer(
    status: int, code: str, message: str, headers: Mapping[str, str], facts: Mapping[str, Any] | None = None
) -> Response:
    # The second `code` is for the TypeScript client, which looks nowhere else.
    body = {"detail": {"code": code, "message": message, **(facts or {})}, "code": code}
    return Response(orjson.dumps(body), status, headers, "application/json")
