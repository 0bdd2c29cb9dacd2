"""Unforeseen failures: logged once and answered. Starlette's own handler would raise them again.

After the answer has begun there is nothing left to say: the server logs it and cuts the connection.
"""

from __future__ import annotations

import logging

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from encoderfile.transports.http.middleware.keys import Refuse

log = logging.getLogger(__name__)


class UnforeseenMiddleware:
    """Answers in the place of an application that failed."""

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
