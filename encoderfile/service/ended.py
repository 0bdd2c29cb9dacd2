"""A request that has ended, as the edges note it for the access log and for traces."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What was asked, how it ended and how long it took. Nothing of texts, keys or queries of addresses."""

    protocol: str
    """`http`, `websocket` or `grpc`."""
    method: str
    """GET, POST, ...; of gRPC the service and its method, `encoderfile.Embedding/Predict`."""
    route: str
    """As the documentation has it; empty where there is none."""
    path: str
    status: str
    seconds: float
    client: str
    """The other end of the connection, which may be a proxy; empty where it is a socket file."""
    known_method: str = ""
    """Of HTTP: the method, if it is one of the specification; others could be any word."""
    scheme: str = "http"
    sent_bytes: int | None = None
    user_agent: str = ""
    traceparent: str = ""
    """The caller's span, as W3C's trace context has it."""
    tracestate: str = ""
