"""The HTTP application: the endpoints of every dialect, and what is around them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import Scope

from encoderfile.errors import EncoderfileError
from encoderfile.service.service import Service
from encoderfile.transports.http import (
    cohere,
    encoderfile,
    index,
    infinity,
    ollama,
    openai,
    openapi,
    probes,
    rerank,
    sie,
    tei,
)
from encoderfile.transports.http.dialect import PLAIN, Dialect
from encoderfile.transports.http.endpoint import routes
from encoderfile.transports.http.middleware.bodies import BodyMiddleware
from encoderfile.transports.http.middleware.disconnects import DisconnectMiddleware
from encoderfile.transports.http.middleware.origins import SAME_ORIGIN, Browsers, OriginMiddleware
from encoderfile.transports.http.middleware.prefixes import PrefixMiddleware, check_root_path
from encoderfile.transports.http.middleware.refusals import KeyMiddleware, UnforeseenMiddleware
from encoderfile.transports.http.middleware.requests import RequestMiddleware
from encoderfile.transports.http.middleware.traces import TraceMiddleware
from encoderfile.transports.http.ui import files, pages
from encoderfile.transports.http.ui.model import WaysIn

_OTHERS = (openai, sie, tei, cohere, infinity, ollama)
"""The dialects of other servers' clients: each has a `DIALECT` and `endpoints`."""

DIALECTS: tuple[Dialect, ...] = (rerank.DIALECT, *(each.DIALECT for each in _OTHERS), PLAIN)
_BY_PREFIX = sorted(
    ((prefix, dialect) for dialect in DIALECTS for prefix in dialect.prefixes), key=lambda each: -len(each[0])
)
"""A request that fails is answered by the dialect with the longest beginning of its path."""

_CORS: Mapping[str, Any] = {
    "allow_methods": ("GET", "HEAD", "POST"),
    "allow_headers": ("*",),
    "expose_headers": ("*",),
    "allow_private_network": True,
}
"""For the origins that are named: all that clients send and read. No cookies; a key is a header like others."""


def create(
    service: Service,
    *,
    api_key: str | None,
    max_body_bytes: int,
    extra_routes: Sequence[BaseRoute] = (),
    page: WaysIn | None = None,
    browsers: Browsers = SAME_ORIGIN,
    root_path: str = "",
    metrics: bool = True,
) -> Starlette:
    """The application around one service. `extra_routes` are those of other transports on this port (MCP).

    `page` is what the page for people tells of other ways in; None: there is no page. `browsers` says what pages of
    others may do, `root_path` where a proxy has this server, `metrics` whether `/metrics` is here. Raises
    `ConfigError` for a path that begins a route.
    """
    endpoints = [
        index.endpoint(service.info, page=page is not None),
        *(pages.endpoints(service, page) if page is not None else ()),
        *encoderfile.endpoints(service, [tei.predict.form(service)]),
        *rerank.endpoints(service, [tei.rerank.form(service)]),
        *(endpoint for each in _OTHERS for endpoint in each.endpoints(service)),
        *probes.endpoints(service, metrics=metrics),
    ]
    endpoints.append(openapi.endpoint(service.info, endpoints, root_path))
    page_files = files.routes() if page is not None else []
    app = Starlette(
        routes=[*routes(endpoints), *page_files, sie.status_route(service), *extra_routes],
        exception_handlers={EncoderfileError: refuse, HTTPException: refuse},
    )

    def is_open(scope: Scope) -> bool:
        return scope["path"] in probes.OPEN_PATHS or (page is not None and files.needs_no_key(scope))

    app.state.dialects = {(each.method, each.path): each.dialect for each in endpoints}
    # A redirect would name a host that the client may not reach, and no document lists it.
    app.router.redirect_slashes = False
    app.add_middleware(DisconnectMiddleware)
    if api_key is not None:
        app.add_middleware(KeyMiddleware, api_key=api_key, refuse=refuse, is_open=is_open)
    app.add_middleware(UnforeseenMiddleware, refuse=refuse)
    app.add_middleware(OriginMiddleware, browsers=browsers, refuse=refuse)
    if browsers.cors_origins:
        app.add_middleware(CORSMiddleware, **_CORS, allow_origins=browsers.cors_origins)
    app.add_middleware(BodyMiddleware, max_body_bytes=max_body_bytes)
    app.add_middleware(RequestMiddleware, metrics=service.metrics)
    app.add_middleware(TraceMiddleware)
    if root_path:
        check_root_path(root_path, app.routes)
        app.add_middleware(PrefixMiddleware, root_path=root_path)
    return app


def create_for_metrics(service: Service, browsers: Browsers) -> Starlette:
    """The application of `/metrics` and the health checks on a port of their own."""
    endpoints = probes.endpoints(service)
    app = Starlette(routes=routes(endpoints), exception_handlers={HTTPException: refuse})
    app.state.dialects = {}
    app.router.redirect_slashes = False
    app.add_middleware(UnforeseenMiddleware, refuse=refuse)
    app.add_middleware(OriginMiddleware, browsers=browsers, refuse=refuse)
    app.add_middleware(BodyMiddleware, max_body_bytes=0)
    return app


async def refuse(request: HTTPConnection, error: Exception) -> Response:
    """The response to a request that failed, in the words of its dialect: that of its body, or of its route.

    Where there is no such route, by the beginning of its path.
    """
    path = request.url.path
    known: Mapping[tuple[str, str], Dialect] = request.app.state.dialects
    found = known.get((request.scope.get("method", ""), path))
    if found is None:
        found = next(dialect for prefix, dialect in _BY_PREFIX if path.startswith(prefix))
    dialect: Dialect = getattr(request.state, "dialect", found)
    return dialect.refuse(error)
