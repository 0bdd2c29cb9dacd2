"""Traces by OTLP: a span for each request that has ended, and one for each phase. Off unless `OTEL_*` asks for it.

This is the only connection that a server opens. The variables are those of OpenTelemetry's specification:
https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ and .../protocol/exporter/
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import encoderfile
from encoderfile.errors import ConfigError
from encoderfile.service.ended import Ended
from encoderfile.service.trace import current
from encoderfile.service.work import Work

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

log = logging.getLogger(__name__)

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_TIMEOUTS = ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT")
_CERTIFICATES = ("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE")

_SYSTEM_CERTIFICATES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # Alpine
)

_QUIET_SECONDS = 60.0
"""Between two lines about a collector that does not answer."""


def wanted(environment: Mapping[str, str]) -> bool:
    """Whether traces are asked for: by the address of a collector, or by the name of the exporter.

    Raises `ConfigError` for an exporter that is not here.
    """
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    exporters = {each.strip() for each in environment.get("OTEL_TRACES_EXPORTER", "").split(",")} - {""}
    if exporters - {"otlp", "none"}:
        raise ConfigError(f"OTEL_TRACES_EXPORTER={environment['OTEL_TRACES_EXPORTER']}: only otlp and none are known")
    if exporters:
        return "otlp" in exporters
    return bool(_first(environment, _ENDPOINTS))


class Spans:
    """Makes spans of requests that have ended; a thread sends them, and loses some where it cannot keep up."""

    def __init__(self, model: str, environment: Mapping[str, str]) -> None:
        """`model` is the name of the service unless a variable says another. Raises `ConfigError`."""
        _make_quiet()
        self.endpoint = _first(environment, _ENDPOINTS) or "this machine"
        self._provider = _provider(model, environment)
        self._tracer = self._provider.get_tracer("encoderfile", encoderfile.__version__)

    def record(self, ended: Ended, work: Work) -> None:
        """The spans of one request, which has just ended, in the trace at hand."""
        from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context

        end, now = time.time_ns(), time.perf_counter()
        attributes = _http(ended) if ended.protocol == "http" else _rpc(ended)
        if work.texts:
            attributes |= {"encoderfile.texts": work.texts, "encoderfile.tokens": work.tokens}
        name = f"{ended.method} {ended.route}".rstrip() if ended.protocol == "http" else ended.method
        start = end - int(ended.seconds * 1e9)
        span = self._tracer.start_span(name, _parent(ended), SpanKind.SERVER, attributes, start_time=start)
        if _failed(ended):
            span.set_status(Status(StatusCode.ERROR))
        if span.is_recording() and work.started:
            inside = set_span_in_context(span)
            at = end - int((now - work.started) * 1e9)
            for phase, seconds in _phases(work):
                until = at + int(seconds * 1e9)
                if until > end:  # phases of runs that went on side by side, added up
                    break
                self._tracer.start_span(phase, inside, start_time=at).end(until)
                at = until
        span.end(end)

    def close(self, seconds: float) -> None:
        """Sends what is left, for `seconds` at most."""
        closing = threading.Thread(target=self._provider.shutdown, name="spans", daemon=True)
        closing.start()
        closing.join(seconds)


exporting: Spans | None = None
"""Where the spans go; None: nowhere. Set at the start of a server."""


def record(ended: Ended, work: Work) -> None:
    """The spans of a request that has ended, where traces are asked for."""
    if exporting is not None:
        exporting.record(ended, work)


def _phases(work: Work) -> list[tuple[str, float]]:
    timing = work.timing
    return [("tokenize", timing.tokenization), ("queue", timing.queue), ("run", timing.inference)]


def _failed(ended: Ended) -> bool:
    """Whether it is this server that failed. https://opentelemetry.io/docs/specs/semconv/http/http-spans/#status"""
    if ended.protocol == "http":
        return ended.status.startswith("5")
    return ended.status in ("UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS")


def _http(ended: Ended) -> dict[str, Any]:
    found: dict[str, Any] = {
        "http.request.method": ended.method,
        "http.response.status_code": int(ended.status),
        "url.path": ended.path,
        "url.scheme": "http",
        "network.protocol.name": "http",
        **_client(ended),
    }
    if ended.route:
        found["http.route"] = ended.route
    if ended.user_agent:
        found["user_agent.original"] = ended.user_agent
    if ended.sent_bytes is not None:
        found["http.response.body.size"] = ended.sent_bytes
    return found


def _rpc(ended: Ended) -> dict[str, Any]:
    return {
        "rpc.system.name": "grpc",
        "rpc.method": ended.method,
        "rpc.response.status_code": ended.status,
        **_client(ended),
    }


def _client(ended: Ended) -> dict[str, Any]:
    host, _, port = ended.client.rpartition(":")
    return {"client.address": host.strip("[]"), "client.port": int(port)} if port.isdigit() else {}


def _parent(ended: Ended) -> Any:
    """The caller's span, if it is of the trace at hand; an empty context for the first span of a trace."""
    from opentelemetry.context import Context
    from opentelemetry.trace import get_current_span
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    if not ended.traceparent:
        return Context()
    carrier = {"traceparent": ended.traceparent, "tracestate": ended.tracestate}
    context = TraceContextTextMapPropagator().extract(carrier, Context())
    trace_id = get_current_span(context).get_span_context().trace_id
    return context if f"{trace_id:032x}" == current.get() else Context()


def _provider(model: str, environment: Mapping[str, str]) -> TracerProvider:
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

    class Ids(RandomIdGenerator):
        """The trace's id is that of the answer's `X-Trace-ID` and of our log lines."""

        def generate_trace_id(self) -> int:
            return int(current.get(), 16) if current.get() else super().generate_trace_id()

    ours = {"service.name": model, "telemetry.sdk.name": "opentelemetry", "telemetry.sdk.language": "python"}
    # Made by hand: the SDK looks for what makes resources among installed packages, and here are none.
    resource = Resource(ours).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=resource, id_generator=Ids(), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(_exporter(environment)))
    return provider


def _exporter(environment: Mapping[str, str]) -> Any:
    """What sends spans, by the protocol that is asked for. Raises `ConfigError`."""
    protocol = _first(environment, _PROTOCOLS) or "http/protobuf"
    timeout = _seconds(environment)
    if protocol == "http/protobuf":
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as Http

        found = _system_certificates(environment)
        return Http(timeout=timeout, certificate_file=None if found is None else str(found))
    if protocol == "grpc":
        import grpc
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as Grpc

        found = _system_certificates(environment)
        credentials = None if found is None else grpc.ssl_channel_credentials(found.read_bytes())
        return Grpc(timeout=timeout, credentials=credentials)
    raise ConfigError(f"OTEL_EXPORTER_OTLP_PROTOCOL={protocol}: only grpc and http/protobuf are known")


def _system_certificates(environment: Mapping[str, str]) -> Path | None:
    """The machine's own, for a collector over TLS; None where none are needed or the variables name some.

    Raises `ConfigError` where there are none.
    """
    if not _first(environment, _ENDPOINTS).startswith("https:") or _first(environment, _CERTIFICATES):
        return None
    for name in (environment.get("SSL_CERT_FILE", ""), *_SYSTEM_CERTIFICATES):
        if name and Path(name).is_file():
            return Path(name)
    raise ConfigError(
        "the collector is asked for over TLS, and this machine has no certificates to trust: "
        "name a file with OTEL_EXPORTER_OTLP_CERTIFICATE"
    )


def _seconds(environment: Mapping[str, str]) -> float:
    """How long one export may take. The specification counts milliseconds, OpenTelemetry's packages seconds."""
    given = _first(environment, _TIMEOUTS) or "10000"
    try:
        return float(given) / 1000
    except ValueError as error:
        raise ConfigError(f"OTEL_EXPORTER_OTLP_TIMEOUT={given} is no number of milliseconds") from error


def _first(environment: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((found for name in names if (found := environment.get(name, "").strip())), "")


class _Seldom(logging.Filter):
    """Lets a line of a kind through once a minute: a collector may be gone for days."""

    def __init__(self) -> None:
        super().__init__()
        self._next: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        now = time.monotonic()
        if now < self._next.get(str(record.msg), 0.0):
            return False
        self._next[str(record.msg)] = now + _QUIET_SECONDS
        record.exc_info = None  # the reason is in the line
        return True


def _make_quiet() -> None:
    seldom = _Seldom()
    for name in (
        "opentelemetry.exporter.otlp.proto.http.trace_exporter",
        "opentelemetry.exporter.otlp.proto.grpc.exporter",
        "opentelemetry.sdk.trace.export",
        "opentelemetry.sdk._shared_internal",
    ):
        logging.getLogger(name).addFilter(seldom)
