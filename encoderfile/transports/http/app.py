"""The HTTP application: routes of every dialect, key check, body limit, refusals."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from encoderfile.errors import EncoderfileError, InternalError, Kind
from encoderfile.service.service import Service
from encoderfile.transports.auth import check_key
from encoderfile.transports.hang_ups import HangUps
from encoderfile.transports.http import encoderfile

log = logging.getLogger(__name__)

STATUS: dict[Kind, int] = {
    Kind.INVALID_ARGUMENT: 422,
    Kind.UNAUTHENTICATED: 401,
    Kind.RESOURCE_EXHAUSTED: 503,
    Kind.UNAVAILABLE: 503,
    Kind.INTERNAL: 500,
    Kind.FAILED_PRECONDITION: 500,
}
"""One status per kind."""

_OPEN_PATHS = frozenset({"/health"})
"""Answered without a key: probes have none."""


def create(
    service: Service, *, api_key: str | None, max_body_bytes: int, extra_routes: Sequence[BaseRoute] = ()
) -> Starlette:
    """The application around one service. `extra_routes` are those of other transports on this port (MCP)."""
    app = Starlette(
        routes=[*encoderfile.routes(service, max_body_bytes), *extra_routes],
        exception_handlers={
            EncoderfileError: _refuse,
            HTTPException: _refuse_http,
            Exception: _refuse_unknown,
        },
    )
    # A redirect would name a host that the client may not reach, and no document lists it.
    app.router.redirect_slashes = False
    app.add_middleware(HangUps)
    if api_key is not None:
        app.add_middleware(_KeyMiddleware, api_key=api_key)
    return app


class _KeyMiddleware:
    """Refuses requests without the key, before anything else reads them."""

    def __init__(self, app: ASGIApp, api_key: str) -> None:
        self._app = app
        self._key = api_key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in _OPEN_PATHS:
            request = Request(scope)
            try:
                check_key(self._key, request.headers.get("authorization"))
            except EncoderfileError as error:
                await (await _refuse(request, error))(scope, receive, send)
                return
        await self._app(scope, receive, send)


async def _refuse(_: Request, error: Exception) -> Response:
    """One sentence as plain text; `Retry-After` where trying again can help."""
    kind = error.kind if isinstance(error, EncoderfileError) else Kind.INTERNAL
    headers = {}
    if STATUS[kind] == 503:
        headers["Retry-After"] = "1"
    if kind is Kind.UNAUTHENTICATED:
        headers["WWW-Authenticate"] = "Bearer"
    return PlainTextResponse(str(error), STATUS[kind], headers)


async def _refuse_http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return PlainTextResponse(error.detail, error.status_code, error.headers)


async def _refuse_unknown(request: Request, error: Exception) -> Response:
    log.error("a request to %s failed", request.url.path, exc_info=error)
    return await _refuse(request, InternalError("the server failed, its log has the cause"))
