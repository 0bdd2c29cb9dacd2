"""Which web pages may call this server from a browser.

A page of anybody's can send requests to a server on the machine, or in the network, where it is viewed, and with DNS
rebinding (a name of its own that points there) it can read the answers. Only browsers send `Origin`, and all send
`Host`; other clients are not kept out.
"""

from __future__ import annotations

import functools
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


_REMEMBERED = 128
"""Pairs of host and origin whose verdict is kept: most requests have the same."""


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
        self._refusal = functools.lru_cache(_REMEMBERED)(self._decided)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind in ("http", "websocket"):
            everything = self._browsers.loopback_only or scope["path"] == _ALWAYS
            if everything or kind == "websocket":
                host = origin = None
                for name, value in scope["headers"]:
                    if name == b"host":
                        host = value
                    elif name == b"origin":
                        origin = value
                refused = self._refusal(everything, host, origin)
                if refused is not None:
                    error = HTTPException(*refused)
                    is_socket = kind == "websocket"
                    refusal = WebSocketClose(1008) if is_socket else await self._refuse(HTTPConnection(scope), error)
                    await refusal(scope, receive, send)
                    return
        await self._app(scope, receive, send)

    def _decided(self, everything: bool, host: bytes | None, origin: bytes | None) -> tuple[int, str] | None:
        """The status and the sentence of a refusal.

        DNS rebinding needs a name that somebody else controls: addresses and known names are let through. A page may
        come from this machine, from a known name, or from the host that it asks.
        """
        asked = _name((host or b"").decode("latin-1"))
        # Without a Host there is no browser.
        if everything and host is not None and not self._is_known(asked):
            return 421, f"The host {host.decode('latin-1')!r} is not allowed here; see --allowed-host"
        if origin is not None and not self._may_ask(origin.decode("latin-1"), asked):
            return 403, f"The origin {origin.decode('latin-1')!r} is not allowed here; see --allowed-host"
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
