"""Where traces go: what the `OTEL_*` variables ask for, checked at the start, and what sends spans there.

The variables are those of OpenTelemetry's specification:
https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ and .../protocol/exporter/
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from encoderfile.errors import ConfigError

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_TIMEOUTS = ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT")
_CERTIFICATES = ("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE")
_CLIENTS = tuple(f"OTEL_EXPORTER_OTLP_{of}CLIENT_{what}" for of in ("TRACES_", "") for what in ("KEY", "CERTIFICATE"))

HTTP, GRPC = "http/protobuf", "grpc"

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
    return bool(first(environment, ENDPOINTS))


def first(environment: Mapping[str, str], names: tuple[str, ...]) -> str:
    """The first of `names` that is set; an empty variable is none, as the specification has it."""
    return next((found for name in names if (found := environment.get(name, "").strip())), "")


def protocol(environment: Mapping[str, str]) -> str:
    """The one that is asked for. Raises `ConfigError` for one that is not here."""
    found = first(environment, PROTOCOLS) or HTTP
    if found not in (HTTP, GRPC):
        raise ConfigError(f"OTEL_EXPORTER_OTLP_PROTOCOL={found}: only grpc and http/protobuf are known")
    return found


def shown_endpoint(environment: Mapping[str, str]) -> str:
    """The collector's address as a log may hold it: without a password."""
    found = first(environment, ENDPOINTS)
    return f"{found.partition('//')[0]}//{found.rpartition('@')[2]}" if "@" in found else found or "this machine"


def exporter(environment: Mapping[str, str]) -> Any:
    """What sends spans, by the protocol that is asked for. Raises `ConfigError` for a wrong variable."""
    _make_quiet()
    asked, timeout = protocol(environment), _seconds(environment)
    _check_endpoint(environment, asked)
    for name in (*_CERTIFICATES, *_CLIENTS):
        if (file := environment.get(name, "").strip()) and not Path(file).is_file():
            raise ConfigError(f"{name}={file} does not exist: give a PEM file")
    found = _system_certificates(environment)
    if asked == HTTP:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as Http

        return Http(timeout=timeout, certificate_file=None if found is None else str(found))
    import grpc
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as Grpc

    credentials = None if found is None else grpc.ssl_channel_credentials(found.read_bytes())
    return Grpc(timeout=timeout, credentials=credentials)


def _check_endpoint(environment: Mapping[str, str], asked: str) -> None:
    name = next((each for each in ENDPOINTS if environment.get(each, "").strip()), None)
    if name is None:
        return
    given = environment[name].strip()
    try:
        parts = urlsplit(given)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        valid = False
    if not valid and not (asked == GRPC and "://" not in given):
        raise ConfigError(f"{name} is no address of a collector: write http://HOST:PORT or https://HOST:PORT")


def _system_certificates(environment: Mapping[str, str]) -> Path | None:
    """The machine's own, for a collector over TLS; None where none are needed or the variables name some.

    Raises `ConfigError` where there are none.
    """
    if not first(environment, ENDPOINTS).startswith("https:") or first(environment, _CERTIFICATES):
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
    given = first(environment, _TIMEOUTS) or "10000"
    try:
        seconds = float(given) / 1000
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise ConfigError(f"OTEL_EXPORTER_OTLP_TIMEOUT={given} is no number of milliseconds")
    return seconds


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
