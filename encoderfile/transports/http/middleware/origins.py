"""Which web pages may call this server from a browser.

A page of anybody's can send requests to a server on the machine, or in the network, where it is viewed, and with DNS
rebinding (a name of its own that points there) it can read the answers. Only browsers send `Origin`, and all send
`Host`; other clients are not kept out.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

ANY = "*"

_ALWAYS = "/mcp"
"""Checked wherever the server listens: the protocol asks for it, for what its tools may do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Browsers:
    """What is allowed to web pages."""

    allowed_hosts: tuple[str, ...] = ()
    """Names of this server, in addition to addresses, `localhost` and the machine's name; `*` for any."""
    cors_origins: tuple[str, ...] = ()
    """Origins whose pages may read answers; `*` for any."""
    loopback_only: bool = False
    """Whether only this machine reaches the server, so that whoever else asks comes by way of a browser."""


SAME_ORIGIN = Browsers()
"""Nothing for pages of others."""


class OriginMiddleware:
    """Refuses what another's page sends: every route where the server listens on loopback alone; else `/mcp`, and
    WebSockets, which browsers let any page open and read.
    """

    def __init__(
        self,
        app: ASGIApp,
        browsers: Browsers,
        refuse: Callable[[HTTPConnection, Exception], Awaitable[Response]],
    ) -> None:
        self._app = app
        self._refuse = refuse
        self._browsers = browsers
        self._hosts = frozenset(name.lower() for name in (*browsers.allowed_hosts, "localhost", socket.gethostname()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            connection = HTTPConnection(scope)
            error = self._refusal(connection)
            if error is not None:
                is_socket = scope["type"] == "websocket"
                refusal = WebSocketClose(1008) if is_socket else await self._refuse(connection, error)
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _refusal(self, connection: HTTPConnection) -> HTTPException | None:
        """DNS rebinding needs a name that somebody else controls: addresses and known names are let through.

        A page may come from this machine, from a known name, or from the host that it asks.
        """
        everything = self._browsers.loopback_only or connection.url.path == _ALWAYS
        if not everything and connection.scope["type"] != "websocket":
            return None
        host, origin = connection.headers.get("host"), connection.headers.get("origin")
        asked = _name(host or "")
        # Without a Host there is no browser.
        if everything and host is not None and not self._is_known(asked):
            return HTTPException(421, f"The host {host!r} is not allowed here; see --allowed-host")
        if origin is not None and not self._may_ask(origin, asked):
            return HTTPException(403, f"The origin {origin!r} is not allowed here; see --allowed-host")
        return None

    def _is_known(self, name: str) -> bool:
        return ANY in self._hosts or name in self._hosts or name.endswith(".localhost") or _is_address(name)

    def _may_ask(self, origin: str, asked: str) -> bool:
        allowed = self._browsers.cors_origins
        if ANY in allowed or origin in allowed:
            return True
        name = _name(origin.partition("://")[2])
        return name in self._hosts or (name != "" and name == asked) or _is_loopback(name)


def is_loopback(bound: socket.socket) -> bool:
    """Whether only this machine reaches a listening socket over TCP, as browsers do."""
    return bound.family in (socket.AF_INET, socket.AF_INET6) and _is_loopback(bound.getsockname()[0])


def _name(netloc: str) -> str:
    """The host name or address in `netloc`, without port; empty when there is none."""
    try:
        return urlsplit(f"//{netloc}").hostname or ""
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(name: str) -> bool:
    return _is_address(name) and ipaddress.ip_address(name).is_loopback
