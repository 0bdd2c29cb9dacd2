"""What happens when an HTTP client leaves before its answer: its work ends and its place is free."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class DisconnectMiddleware:
    """Cancels the application's work for a client that has left; uvicorn alone would finish it in vain.

    Watches only between the end of the request and the beginning of the answer.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        work = asyncio.current_task()
        assert work is not None
        watch: asyncio.Task[None] | None = None
        left = False

        async def wait_for_the_end() -> None:
            nonlocal left
            while (await receive())["type"] != "http.disconnect":
                pass
            left = True
            work.cancel()

        async def receive_and_watch() -> Message:
            nonlocal watch
            message = await receive()
            if watch is None and message["type"] == "http.request" and not message.get("more_body", False):
                watch = asyncio.create_task(wait_for_the_end(), name="disconnect")
            return message

        async def send_unwatched(message: Message) -> None:
            if watch is not None:
                watch.cancel()
            await send(message)

        try:
            await self._app(scope, receive_and_watch, send_unwatched)
        except asyncio.CancelledError:
            if not left:
                raise
            work.uncancel()
        finally:
            if watch is not None:
                watch.cancel()
