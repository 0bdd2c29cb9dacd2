"""The API key: requests without it are refused before anything else reads them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from encoderfile.errors import EncoderfileError
from encoderfile.transports.auth import check_key
from encoderfile.transports.http.probes import OPEN_PATHS

Refuse = Callable[[HTTPConnection, Exception], Awaitable[Response]]
"""The response of the dialect that a request belongs to."""


class KeyMiddleware:
    """Lets probes through, and whoever has the key."""

    def __init__(self, app: ASGIApp, api_key: str, refuse: Refuse) -> None:
        self._app = app
        self._key = api_key
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and scope["path"] not in OPEN_PATHS:
            connection = HTTPConnection(scope)
            try:
                check_key(self._key, connection.headers.get("authorization"))
            except EncoderfileError as error:
                is_socket = scope["type"] == "websocket"
                refusal = WebSocketClose() if is_socket else await self._refuse(connection, error)
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)
