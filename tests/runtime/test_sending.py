"""Draining waits for answers that are being sent."""

import asyncio

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from encoderfile.runtime.binding import bound_http
from encoderfile.settings import ServeSettings
from encoderfile.transports.http.protocol import Connections
from encoderfile.transports.http.server import HttpServer
from support.clients import PATIENCE
from support.raw_connections import raw_connection, rest


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


def test_a_body_that_begins_to_come_while_the_server_stops_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> None:
        begun, go_on, reading = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["path"] == "/body":
                reading.set()
                while (await receive())["type"] == "http.request":
                    pass
                return
            begun.set()
            await go_on.wait()
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
            await send({"type": "http.response.body", "body": b"ok"})

        server = HttpServer(app, cert_file=None, key_file=None)
        with bound_http(ServeSettings(http_hostname="127.0.0.1", http_port=0)) as bound:
            running = await server.start(bound)
            url = f"http://127.0.0.1:{bound.getsockname()[1]}"
            async with raw_connection(url) as (answered, asking), raw_connection(url) as (refused, sending):
                asking.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                await begun.wait()
                finishing = asyncio.create_task(server.finish(2 * PATIENCE))
                await asyncio.sleep(0)  # it has looked once
                sending.write(b"POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\na")
                await reading.wait()
                said = await rest(refused)
                assert said.startswith(b"HTTP/1.1 503 ")
                looked_again = asyncio.Event()
                look = Connections.refuse_unfinished
                monkeypatch.setattr(
                    Connections, "refuse_unfinished", lambda *given: (look(*given), looked_again.set())
                )
                await looked_again.wait()
                go_on.set()
                assert (await rest(answered)).endswith(b"ok")
                assert await finishing
            server.should_exit = True
            await running

    asyncio.run(asyncio.wait_for(scene(), PATIENCE))
