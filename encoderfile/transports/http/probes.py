"""Probes and metrics: `/healthz`, `/livez`, `/readyz`, `/metrics`."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from encoderfile.service import process_metrics
from encoderfile.service.families import CONTENT_TYPE, text
from encoderfile.service.service import Service
from encoderfile.transports.http.dialect import PLAIN, TEXT
from encoderfile.transports.http.endpoint import Endpoint, Respond, get
from encoderfile.transports.http.sie import metrics as sie_metrics

OPEN_PATHS = frozenset({"/health", "/healthz", "/livez", "/ping", "/readyz"})
"""Answered without a key, which probes have not, and when no other request is taken."""


def endpoints(service: Service, *, metrics: bool = True) -> list[Endpoint]:
    """Alive as long as the event loop answers; ready as long as new requests are taken and there is no fault.

    `/metrics` among them, unless it has a port of its own.
    """

    async def alive(_: Request) -> Response:
        return PlainTextResponse("ok")

    async def ready(_: Request) -> Response:
        if service.ready and service.fault is None:
            return PlainTextResponse("ok")
        reason = service.fault or "the server is stopping and takes no new requests"
        return PlainTextResponse(reason, 503, {"Retry-After": "1"})

    async def scraped(_: Request) -> Response:
        own = service.metrics.families(service.waiting, service.ready)
        page = text([*own, *sie_metrics.families(own), *process_metrics.families()])
        return Response(page, headers={"Content-Type": CONTENT_TYPE})

    def probe(path: str, summary: str, respond: Respond, also: tuple[int, ...] = ()) -> Endpoint:
        return get(PLAIN, path, summary, respond, str, media=(TEXT,), also=also, open=path in OPEN_PATHS)

    return [
        probe("/healthz", "Whether the server runs", alive),
        probe("/livez", "Whether the server runs", alive),
        probe("/readyz", "Whether the server takes requests", ready, (503,)),
        *([probe("/metrics", "Metrics for Prometheus", scraped)] if metrics else []),
    ]
