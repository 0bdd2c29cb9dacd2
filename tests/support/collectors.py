"""Collectors of traces: what OTLP brings over HTTP and over gRPC, decoded."""

from __future__ import annotations

import gzip
import queue
import ssl
import threading
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as pb
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as pb_grpc

from support.tls import Pair

PATIENCE = 30


class Collector:
    """What has come."""

    def __init__(self) -> None:
        self.url = ""
        self.headers: list[dict[str, str]] = []
        self._spans: queue.Queue[Any] = queue.Queue()
        self.resources: list[dict[str, str]] = []

    def take(self, request: Any, headers: dict[str, str]) -> None:
        self.headers.append(headers)
        for each in request.resource_spans:
            self.resources.append({one.key: one.value.string_value for one in each.resource.attributes})
            for scope in each.scope_spans:
                for span in scope.spans:
                    self._spans.put(span)

    def spans(self, count: int) -> dict[str, Any]:
        """The next spans, by name."""
        found = [self._spans.get(timeout=PATIENCE) for _ in range(count)]
        return {each.name: each for each in found}

    @property
    def is_empty(self) -> bool:
        return self._spans.empty()


@contextmanager
def over_http(status: int = 200, pair: Pair | None = None) -> Iterator[Collector]:
    """A collector at `/v1/traces`; over TLS with a `pair`."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            if self.path == "/v1/traces" and status == 200:
                headers = {name.lower(): value for name, value in self.headers.items()}
                collector.take(pb.ExportTraceServiceRequest.FromString(body), headers)
            self.send_response(status if self.path == "/v1/traces" else 404)
            self.send_header("content-type", "application/x-protobuf")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if pair is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(pair.cert, pair.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    collector.url = f"{'https' if pair else 'http'}://127.0.0.1:{server.server_address[1]}"
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def over_grpc(pair: Pair | None = None) -> Iterator[Collector]:
    """A collector that speaks gRPC; over TLS with a `pair`."""
    collector = Collector()

    class Servicer(pb_grpc.TraceServiceServicer):
        def Export(self, request: Any, context: Any) -> Any:
            collector.take(request, {key: str(value) for key, value in context.invocation_metadata()})
            return pb.ExportTraceServiceResponse()

    server = grpc.server(futures.ThreadPoolExecutor(2))
    pb_grpc.add_TraceServiceServicer_to_server(Servicer(), server)
    if pair is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        both = ((pair.key.read_bytes(), pair.cert.read_bytes()),)
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials(both))
    server.start()
    collector.url = f"{'https' if pair else 'http'}://127.0.0.1:{port}"
    try:
        yield collector
    finally:
        server.stop(0).wait()
