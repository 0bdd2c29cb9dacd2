"""Probes and metrics: `/healthz`, `/livez`, `/readyz`, `/metrics`."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from encoderfile.service import process_metrics
from encoderfile.service.families import CONTENT_TYPE, OPENMETRICS_TYPE, openmetrics, text
from encoderfile.service.service import Service
from encoderfile.transports.http.dialect import PLAIN, TEXT
from encoderfile.transports.http.endpoint import Endpoint, Respond, get
from encoderfile.transports.http.sie import metrics as sie_metrics

_OPENMETRICS = "application/openmetrics-text"

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

    async def scraped(request: Request) -> Response:
        own = service.metrics.families(service.waiting, service.ready)
        write, media = text, CONTENT_TYPE
        if _wants_openmetrics(request.headers.get("accept", "")):
            write, media = openmetrics, OPENMETRICS_TYPE
        page = write([*own, *sie_metrics.families(own), *process_metrics.families()])
        return Response(page, headers={"Content-Type": media, "Vary": "Accept"})

    def probe(path: str, summary: str, respond: Respond, also: tuple[int, ...] = ()) -> Endpoint:
        return get(PLAIN, path, summary, respond, str, media=(TEXT,), also=also, open=True)

    return [
        probe("/healthz", "Whether the server runs", alive),
        probe("/livez", "Whether the server runs", alive),
        probe("/readyz", "Whether the server takes requests", ready, (503,)),
        *(
            [get(PLAIN, "/metrics", "Metrics for Prometheus", scraped, str, media=(TEXT, _OPENMETRICS))]
            if metrics
            else []
        ),
    ]


def _wants_openmetrics(accept: str) -> bool:
    """Whether it is accepted, and at least as gladly as plain text."""
    quality = {_OPENMETRICS: 0.0, TEXT: 0.0}
    for each in accept.lower().split(","):
        media, *parameters = (part.strip() for part in each.split(";"))
        given = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        if media in quality and re.fullmatch(r"[01](\.\d*)?", given):
            quality[media] = max(quality[media], float(given))
    return 0 < quality[_OPENMETRICS] >= quality[TEXT]
