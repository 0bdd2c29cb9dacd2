"""`health`: asks the server of the same settings whether it is ready, for images that hold no other program."""

from __future__ import annotations

import socket
import ssl
import time
from pathlib import Path

from encoderfile.errors import ConfigError
from encoderfile.runtime.binding import UNIX, bracketed
from encoderfile.settings import ServeSettings

_HERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1", "[::]": "::1"}
"""Where a server that listens on all interfaces is asked."""

_MOST_BYTES = 64 << 10
"""Of an answer that is one line."""


def check(settings: ServeSettings, seconds: float) -> None:
    """Returns if the server of these settings accepts requests: HTTP's, or gRPC's if HTTP is not served.

    Raises `ConfigError`, with the server's reason, if it does not or has not answered within `seconds`.
    """
    try:
        if not settings.disable_http:
            _check_http(settings, seconds)
            return
        _check_grpc(settings, seconds)
    except OSError as error:
        raise ConfigError(f"not ready: {_place(settings)} does not answer: {error.strerror or error}") from error


def _place(settings: ServeSettings) -> str:
    """The address that is asked, as people write it."""
    host, port = (
        (settings.grpc_hostname, settings.grpc_port)
        if settings.disable_http
        else (settings.http_hostname, settings.http_port)
    )
    return host if host.startswith(UNIX) else f"{bracketed(_HERE.get(host, host))}:{port}"


def _connected(host: str, port: int, cert_file: Path | None, seconds: float) -> socket.socket:
    if host.startswith(UNIX):
        found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        found.settimeout(seconds)
        found.connect(host.removeprefix(UNIX))
    else:
        found = socket.create_connection((_HERE.get(host, host).strip("[]"), port), seconds)
    if cert_file is None:
        return found
    return _trusting(cert_file).wrap_socket(found)


def _trusting(cert_file: Path) -> ssl.SSLContext:
    """Trusts the server's own certificate and no other, under any name: it is known by its file."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cert_file)
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


def _check_http(settings: ServeSettings, seconds: float) -> None:
    """GET /readyz, which needs no key."""
    until = time.monotonic() + seconds
    with _connected(settings.http_hostname, settings.http_port, settings.cert_file, seconds) as server:
        server.sendall(b"GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n")
        answer = b""
        while (some := server.recv(_MOST_BYTES)) and len(answer) < _MOST_BYTES:
            answer += some
            # What comes drop by drop is not waited for longer than an answer that does not come.
            if (left := until - time.monotonic()) <= 0:
                raise TimeoutError("timed out")
            server.settimeout(left)
    head, _, body = answer.partition(b"\r\n\r\n")
    status = head.split(maxsplit=2)[1:2]
    if not head.startswith(b"HTTP/"):
        raise ConfigError(f"not ready: {_place(settings)} does not answer as HTTP does")
    if status != [b"200"]:
        raise ConfigError(f"not ready: {body.decode(errors='replace').strip() or head.decode(errors='replace')}")


def _check_grpc(settings: ServeSettings, seconds: float) -> None:
    """`grpc.health.v1.Health/Check` of the whole server, which needs no key."""
    from encoderfile.transports.grpc_check import check

    certificate, name = None, None
    if settings.cert_file is not None:
        certificate = settings.cert_file.read_bytes()
        name = _name_in_certificate(settings, seconds)
    check(_place(settings), seconds, certificate, name)


def _name_in_certificate(settings: ServeSettings, seconds: float) -> str | None:
    """A name that the certificate is for: a client of gRPC compares it, and has no switch for that."""
    assert settings.cert_file is not None
    with _connected(settings.grpc_hostname, settings.grpc_port, settings.cert_file, seconds) as server:
        found = server.getpeercert() if isinstance(server, ssl.SSLSocket) else None
    names = (found or {}).get("subjectAltName", ())
    return next((str(name[1]).replace("*", "any", 1) for name in names if isinstance(name, tuple)), None)
