"""Draining waits for answers that are being sent."""

import asyncio

import httpx
from starlette.types import Receive, Scope, Send

from encoderfile.runtime.binding import bound_http
from encoderfile.settings import ServeSettings
from encoderfile.transports.http.server import HttpServer


def test_an_answer_that_was_begun_is_waited_for() -> None:
    async def scene() -> None:
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
            begun.set()
            await go_on.wait()
            await send({"type": "http.response.body", "body": b"ok"})

        server = HttpServer(app, cert_file=None, key_file=None)
        with bound_http(ServeSettings(http_hostname="127.0.0.1", http_port=0)) as bound:
            running = await server.start(bound)
            assert await server.finish(0)
            async with httpx.AsyncClient(trust_env=False) as client:
                asked = asyncio.create_task(client.get(f"http://127.0.0.1:{bound.getsockname()[1]}/"))
                await begun.wait()
                assert not await server.finish(0)
                waiting = asyncio.create_task(server.finish(60))
                go_on.set()
                assert await waiting
                assert (await asked).text == "ok"
            server.should_exit = True
            await running

    asyncio.run(scene())
