"""Traces of a server, from its start to its end, where they are asked for."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator

from encoderfile.service import spans
from encoderfile.settings import ServeSettings

log = logging.getLogger(__name__)

_FORMER = "http://localhost:4317"
"""Where encoderfile 0.7 sends traces unless told otherwise."""

_BELIEVED_MORE = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Variables that OpenTelemetry's HTTP library would follow rather than `OTEL_EXPORTER_OTLP_CERTIFICATE`."""

_LAST_SECONDS = 3.0
"""How long the last spans may take to be sent, once everything is answered."""


@contextlib.contextmanager
def traces(settings: ServeSettings, model: str) -> Iterator[None]:
    """Sends spans while the block runs, and what is left at its end. Raises `ConfigError` for a wrong variable."""
    if settings.enable_otel or settings.otel_exporter_url is not None:
        given = settings.otel_exporter_url
        if given is not None:
            os.environ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = given
        os.environ.setdefault("OTEL_EXPORTER_OTLP_ENDPOINT", _FORMER)
        os.environ.setdefault("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    if not spans.wanted(os.environ):
        yield
        return
    for name in _BELIEVED_MORE:
        os.environ.pop(name, None)
    spans.exporting = found = spans.Spans(model, os.environ)
    log.info("traces go to %s", found.endpoint)
    try:
        yield
    finally:
        spans.exporting = None
        found.close(_LAST_SECONDS)
