"""The HTTP application: routes of every dialect, key check, body limit, refusals."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from encoderfile.errors import EncoderfileError, InternalError, Kind
from encoderfile.service.service import Service
from encoderfile.transports.auth import check_key
from encoderfile.transports.hang_ups import HangUps
from encoderfile.transports.http import encoderfile, front, openai, probes, rerank, sie
from encoderfile.transports.http.trace import Traced
from encoderfile.transports.http.uploads import Uploads

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

BODIES = 16
"""Bodies of the largest size that are kept at a time: the bound of all bodies together."""

_DIALECTS: tuple[tuple[str, Callable[[Exception], Response]], ...] = (
    (openai.PATH, openai.refuse),
    *((path, rerank.refuse) for path in rerank.PATHS),
    ("/v1/", sie.refuse),
)
"""How each dialect says that a request failed, by the beginning of its paths; the others use plain text."""


def create(
    service: Service, *, api_key: str | None, max_body_bytes: int, extra_routes: Sequence[BaseRoute] = ()
) -> Starlette:
    """The application around one service. `extra_routes` are those of other transports on this port (MCP)."""
    routes = [
        *encoderfile.routes(service, max_body_bytes),
        *sie.routes(service, max_body_bytes),
        *openai.routes(service, max_body_bytes),
        *rerank.routes(service, max_body_bytes),
        *probes.routes(service),
        *extra_routes,
    ]
    app = Starlette(
        routes=[front.route(service.info, routes), *routes],
        exception_handlers={
            EncoderfileError: _refuse,
            HTTPException: _refuse,
        },
    )
    # A redirect would name a host that the client may not reach, and no document lists it.
    app.router.redirect_slashes = False
    app.add_middleware(HangUps)
    if api_key is not None:
        app.add_middleware(_KeyMiddleware, api_key=api_key)
    app.add_middleware(_Failures)
    app.add_middleware(Traced)
    app.add_middleware(Uploads, most_bytes=BODIES * max_body_bytes)
    return app


class _KeyMiddleware:
    """Refuses requests without the key, before anything else reads them."""

    def __init__(self, app: ASGIApp, api_key: str) -> None:
        self._app = app
        self._key = api_key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and scope["path"] not in probes.OPEN_PATHS:
            connection = HTTPConnection(scope)
            try:
                check_key(self._key, connection.headers.get("authorization"))
            except EncoderfileError as error:
                refusal = WebSocketClose() if scope["type"] == "websocket" else await _refuse(connection, error)
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


class _Failures:
    """What nobody foresaw is logged once and answered in our words; Starlette's own handler would raise it again.

    After the answer has begun there is nothing left to say: the server logs it and cuts the connection.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def send_and_know(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_and_know)
        except Exception:
            if begun or scope["type"] != "http":
                raise
            log.exception("a request to %s failed", scope["path"])
            failure = InternalError.unforeseen()
            refusal = await _refuse(HTTPConnection(scope), failure)
            await refusal(scope, receive, send)


async def _refuse(request: HTTPConnection, error: Exception) -> Response:
    """The refusal in the words of the dialect that the path belongs to."""
    path = request.url.path
    return next((refuse for prefix, refuse in _DIALECTS if path.startswith(prefix)), _in_plain_text)(error)


def _in_plain_text(error: Exception) -> Response:
    """One sentence; `Retry-After` where trying again can help."""
    if isinstance(error, HTTPException):
        return PlainTextResponse(error.detail, error.status_code, error.headers)
    kind = error.kind if isinstance(error, EncoderfileError) else Kind.INTERNAL
    headers = {}
    if STATUS[kind] == 503:
        headers["Retry-After"] = "1"
    if kind is Kind.UNAUTHENTICATED:
        headers["WWW-Authenticate"] = "Bearer"
    return PlainTextResponse(str(error), STATUS[kind], headers)
