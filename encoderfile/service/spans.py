"""Traces: a span for each request that has ended, and one for each phase. Off unless they are asked for (otlp.py).

Sending them is the only connection that a server opens.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import encoderfile
from encoderfile.errors import ConfigError
from encoderfile.service import otlp
from encoderfile.service.ended import Ended
from encoderfile.service.trace import current
from encoderfile.service.work import Work
from encoderfile.types import ModelInfo

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider


class Spans:
    """Makes spans of requests that have ended; a thread sends them, and loses some where it cannot keep up."""

    def __init__(self, info: ModelInfo, environment: Mapping[str, str]) -> None:
        """The service has the name of the model unless a variable says another.

        Raises `ConfigError` for a variable that cannot be followed.
        """
        try:
            self._provider = _provider(info, environment)
        except ValueError as error:
            raise ConfigError(f"a variable of OpenTelemetry (OTEL_*) cannot be followed: {error}") from error
        self._tracer = self._provider.get_tracer("encoderfile", encoderfile.__version__)

    def record(self, ended: Ended, work: Work) -> None:
        """The spans of one request, which has just ended, in the trace at hand."""
        from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context

        end, now = time.time_ns(), time.perf_counter()
        attributes = _http(ended) if ended.protocol == "http" else _rpc(ended)
        counts = {"encoderfile.texts": work.texts, "encoderfile.tokens": work.tokens} if work.texts else {}
        attributes |= counts
        name = f"{ended.known_method or 'HTTP'} {ended.route}".rstrip() if ended.protocol == "http" else ended.method
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
                self._tracer.start_span(phase, inside, attributes=counts, start_time=at).end(until)
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
        "http.request.method": ended.known_method or "_OTHER",
        "http.response.status_code": int(ended.status),
        "url.path": ended.path,
        "url.scheme": ended.scheme,
        "network.protocol.name": "http",
        **_client(ended),
    }
    if not ended.known_method:
        found["http.request.method_original"] = ended.method
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


def _provider(info: ModelInfo, environment: Mapping[str, str]) -> TracerProvider:
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
    from opentelemetry.sdk.version import __version__ as sdk_version

    class Ids(RandomIdGenerator):
        """The trace's id is that of the answer's `X-Trace-ID` and of our log lines."""

        def generate_trace_id(self) -> int:
            return int(current.get(), 16) if current.get() else super().generate_trace_id()

    ours = {
        "service.name": info.model_id,
        "service.version": info.version,
        "service.instance.id": str(uuid.uuid4()),
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.language": "python",
        "telemetry.sdk.version": sdk_version,
    }
    # Made by hand: the SDK looks for what makes resources among installed packages, and here are none.
    resource = Resource(ours).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=resource, id_generator=Ids(), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(otlp.exporter(environment)))
    return provider
