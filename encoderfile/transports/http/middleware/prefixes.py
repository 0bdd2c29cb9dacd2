"""`--root-path`: the beginning of the paths under which a proxy in front of this server answers."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from encoderfile.errors import ConfigError
from encoderfile.transports.http.ui.files import wants_page


class PrefixMiddleware:
    """Takes the prefix away, for a proxy that leaves it on; one that takes it away itself needs nothing.

    What is inside never sees it. A browser that asks for the bare prefix is sent to its folder, where the links of
    the page begin.
    """

    def __init__(self, app: ASGIApp, root_path: str) -> None:
        self._app = app
        self._root_path = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            path, root = scope["path"], self._root_path
            if path == root and scope["type"] == "http" and scope["method"] == "GET" and wants_page(Request(scope)):
                # Relative, for the host and the scheme of the proxy are not known here.
                await RedirectResponse(f"{root.rpartition('/')[2]}/")(scope, receive, send)
                return
            if path == root or path.startswith(f"{root}/"):
                scope = {**scope, "path": path[len(root) :] or "/"}
        await self._app(scope, receive, send)


def check_root_path(root_path: str, routes: Iterable[BaseRoute]) -> None:
    """Raises `ConfigError` for a prefix with which a path could mean two routes."""
    for route in routes:
        path = str(getattr(route, "path", ""))
        below = {"type": "http", "method": "GET", "path": f"{root_path}/"}
        if f"{path}/".startswith(f"{root_path}/") or route.matches(below)[0] is not Match.NONE:
            raise ConfigError(
                f"--root-path {root_path} is also where {path} begins: choose another, such as /encoderfile"
            )
