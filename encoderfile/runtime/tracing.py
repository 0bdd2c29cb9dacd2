"""Traces of a server, from its start to its end, where they are asked for."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Iterator

from encoderfile.service import otlp, spans
from encoderfile.settings import ServeSettings
from encoderfile.types import ModelInfo

log = logging.getLogger(__name__)

_FORMER = {otlp.GRPC: "http://localhost:4317", otlp.HTTP: "http://localhost:4318"}
"""Where encoderfile 0.7 sends traces unless told otherwise, and the same for the other protocol."""

_BELIEVED_MORE = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Variables that OpenTelemetry's HTTP library would follow rather than `OTEL_EXPORTER_OTLP_CERTIFICATE`."""

_LAST_SECONDS = 3.0
"""How long the last spans may take to be sent, once everything is answered."""


@contextlib.contextmanager
def traces(settings: ServeSettings, info: ModelInfo, left: Callable[[], float]) -> Iterator[None]:
    """Sends spans while the block runs, and what is left at its end, for `left` seconds of the drain at most.

    Raises `ConfigError` for a wrong variable.
    """
    if settings.enable_otel or settings.otel_exporter_url is not None:
        _ask(settings.otel_exporter_url)
    if not otlp.wanted(os.environ):
        if settings.enable_otel or settings.otel_exporter_url is not None:
            log.warning("no traces are sent: OTEL_SDK_DISABLED or OTEL_TRACES_EXPORTER switches them off")
        yield
        return
    for name in _BELIEVED_MORE:
        os.environ.pop(name, None)
    spans.exporting = found = spans.Spans(info, os.environ)
    log.info("traces go to %s", otlp.shown_endpoint(os.environ))
    try:
        yield
    finally:
        spans.exporting = None
        found.close(max(0.0, min(_LAST_SECONDS, left())))


def _ask(url: str | None) -> None:
    """What the flags of 0.7 say, as variables: those that are set say the rest."""
    if not otlp.first(os.environ, otlp.PROTOCOLS):
        os.environ["OTEL_EXPORTER_OTLP_PROTOCOL"] = otlp.GRPC
    if url is not None:
        os.environ.pop("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", None)
        os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = url
    elif not otlp.first(os.environ, otlp.ENDPOINTS):
        os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = _FORMER[otlp.protocol(os.environ)]
