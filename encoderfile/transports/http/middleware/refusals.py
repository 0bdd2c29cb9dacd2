"""Refusals around every route: requests without the API key, and failures that nobody foresaw."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from encoderfile.errors import EncoderfileError
from encoderfile.transports.auth import check_key

log = logging.getLogger(__name__)

Refuse = Callable[[HTTPConnection, Exception], Awaitable[Response]]
"""The response of the dialect that a request belongs to."""


class KeyMiddleware:
    """Lets requests with the key through; the others are refused before anything reads them."""

    def __init__(self, app: ASGIApp, api_key: str, refuse: Refuse, is_open: Callable[[Scope], bool]) -> None:
        """`is_open` tells whether a request needs no key: a probe, a file of the page."""
        self._app = app
        self._key = api_key
        self._is_open = is_open
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and not self._is_open(scope):
            connection = HTTPConnection(scope)
            try:
                check_key(self._key, connection.headers.get("authorization"))
            except EncoderfileError as error:
                is_socket = scope["type"] == "websocket"
                refusal = WebSocketClose() if is_socket else await self._refuse(connection, error)
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


class UnforeseenMiddleware:
    """Logs what an application raises, once, and answers. Starlette's own handler would raise it again.

    After the answer has begun there is nothing left to say: the server logs it and closes the connection.
    """

    def __init__(self, app: ASGIApp, refuse: Refuse) -> None:
        self._app = app
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def send_and_know(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_and_know)
        except Exception as error:
            if begun or scope["type"] != "http":
                raise
            log.exception("a request to %s failed", scope["path"])
            refusal = await self._refuse(HTTPConnection(scope), error)
            await refusal(scope, receive, send)
