"""Every request by its route and status: counted, logged and traced where that is asked for."""

from __future__ import annotations

import logging
import time

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from encoderfile.service import access_log, spans
from encoderfile.service.ended import Ended
from encoderfile.service.metrics import Metrics
from encoderfile.service.work import Work, current_work
from encoderfile.transports.http.probes import OPEN_PATHS
from encoderfile.transports.http.protocol import REFUSED

_METHODS = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"})
"""Others are counted as one, as OpenTelemetry has it: a client must not be able to make new series."""

_LEFT = 499
"""The status that is noted for a client that left before its answer began."""


class RequestMiddleware:
    """Notes how each request ended. Around all the others, so that what they refuse is noted too."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status, sent_bytes, work = _LEFT, 0, Work()

        async def send_and_note(message: Message) -> None:
            nonlocal status, sent_bytes
            kind = message["type"]
            if kind in ("http.response.body", "websocket.send"):
                sent_bytes += len(message.get("body") or message.get("bytes") or message.get("text") or b"")
            elif kind in ("http.response.start", "websocket.http.response.start"):
                status = message["status"]
            elif kind == "websocket.accept":
                status = 101
            elif kind == "websocket.close" and status == _LEFT:
                status = 403
            await send(message)

        token = current_work.set(work)
        self._metrics.active_requests += 1
        try:
            await self._app(scope, receive, send_and_note)
        finally:
            self._metrics.active_requests -= 1
            current_work.reset(token)
            self._ended(scope, status, sent_bytes, time.perf_counter() - started, work)

    def _ended(self, scope: Scope, status: int, sent_bytes: int, seconds: float, work: Work) -> None:
        status = scope.get("state", {}).get(REFUSED, status)
        route = str(getattr(scope.get("route"), "path", "")).replace(":path}", "}")
        method = str(scope.get("method", "GET"))
        known = method if method in _METHODS else ""
        if scope["type"] == "http":
            self._metrics.http.observe((known or "_OTHER", route, str(status)), seconds)
        if not (access_log.is_on() or spans.exporting):
            return
        headers = Headers(scope=scope)
        ended = Ended(
            protocol=scope["type"],
            method=method,
            route=route,
            path=scope["path"],
            status=str(status),
            seconds=seconds,
            client=access_log.address(scope.get("client")),
            known_method=known,
            scheme=scope["scheme"],
            sent_bytes=sent_bytes,
            user_agent=headers.get("user-agent", ""),
            traceparent=headers.get("traceparent", ""),
            tracestate=headers.get("tracestate", ""),
        )
        is_probe = scope["path"] in OPEN_PATHS and status == 200
        access_log.write(ended, work, logging.DEBUG if is_probe else logging.INFO)
        if scope["type"] == "http" and not is_probe:
            spans.record(ended, work)
