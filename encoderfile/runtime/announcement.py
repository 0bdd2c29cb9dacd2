"""What `serve` says when it is ready: where it can be opened, and a request to try it with.

A person at a terminal gets a block to read and to copy from, a log its lines.
"""

from __future__ import annotations

import json
import logging
import shlex
import socket
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from encoderfile.model.device import Device
from encoderfile.runtime.binding import UNIX, bracketed
from encoderfile.runtime.widths import harmless
from encoderfile.service.service import Service
from encoderfile.settings import ServeSettings
from encoderfile.tasks import Task
from encoderfile.tasks.abilities import Ability
from encoderfile.terminal import Screen, is_terminal

log = logging.getLogger("encoderfile.runtime.server")
"""By the name that logs of servers have always had."""

_EVERYWHERE = frozenset({"0.0.0.0", "[::]", "::", ""})


class _Ways(NamedTuple):
    """Where the servers listen."""

    settings: ServeSettings
    http: str | None
    """Base of the URLs, or `unix:PATH`; None: it is not served."""
    grpc: str | None
    """As its clients name it; None: it is not served."""
    metrics: str | None
    """Base of the URLs of metrics, where they have a port of their own."""

    @property
    def url(self) -> str | None:
        """Base of the URLs for programs that take any; None: HTTP is on no port."""
        return None if self.http is None or self.http.startswith(UNIX) else self.http


def announce(
    service: Service,
    settings: ServeSettings,
    device: Device,
    http: socket.socket | None,
    grpc_port: int,
    metrics: socket.socket | None = None,
) -> None:
    """Logs where the servers listen, those of HTTP and of metrics at their sockets, and how to try them."""
    info = service.info
    log.info("%s %s (%s) runs on %s: %s", info.model_id, info.version, info.model_type, device.name, device.reason)
    read = settings.log_format == "text" and is_terminal(sys.stderr)
    to_open = _ways(settings, http, grpc_port, metrics, opened=True)
    if not read:
        for name, address in _pages(to_open):
            log.info("%s on %s", name, address)
        log.info("try %s", _request(service.task, to_open))
        _log_addresses(_ways(settings, http, grpc_port, metrics))
    elif log.isEnabledFor(logging.INFO):
        sys.stderr.write("".join(f"{line}\n" for line in _block(service.task, to_open, Screen.of(sys.stderr))))
    hosts = {None if settings.disable_http else settings.http_hostname}
    hosts |= {None if settings.disable_grpc else settings.grpc_hostname}
    if hosts & _EVERYWHERE and settings.api_key is None:
        log.warning("listening on all interfaces without --api-key")
    log.info("ready")


def _ways(
    settings: ServeSettings,
    http: socket.socket | None,
    grpc_port: int,
    metrics: socket.socket | None,
    *,
    opened: bool = False,
) -> _Ways:
    """`opened`: an address that stands for all of this machine is one that a client here can open."""

    def host(name: str) -> str:
        return "localhost" if opened and name in _EVERYWHERE else bracketed(name)

    def base(name: str, bound: socket.socket | None) -> str | None:
        if bound is None or name.startswith(UNIX):
            return None if bound is None else name
        return f"{'http' if settings.cert_file is None else 'https'}://{host(name)}:{bound.getsockname()[1]}"

    grpc = None if settings.disable_grpc else host(settings.grpc_hostname) + (f":{grpc_port}" if grpc_port else "")
    return _Ways(
        settings,
        base(settings.http_hostname, http),
        grpc,
        None if metrics is None else base(settings.for_metrics.http_hostname, metrics),
    )


def _log_addresses(ways: _Ways) -> None:
    if ways.http is not None:
        log.info("HTTP on %s", ways.http)
        if not ways.settings.disable_mcp:
            log.info("MCP on %s/mcp", ways.http)
    if ways.grpc is not None:
        log.info("gRPC on %s%s", ways.grpc, "" if ways.settings.cert_file is None else " (TLS)")
    if ways.metrics is not None:
        log.info("Metrics on %s/metrics", ways.metrics)


def _pages(ways: _Ways) -> Iterator[tuple[str, str]]:
    """What a browser opens."""
    if ways.url is None:
        return
    if not ways.settings.disable_ui:
        yield "page", f"{ways.url}/"
    yield "API docs", f"{ways.url}/openapi.json" if ways.settings.disable_ui else f"{ways.url}/docs"
    if ways.metrics is None:
        yield "metrics", f"{ways.url}/metrics"


def _block(task: Task[Any], ways: _Ways, screen: Screen) -> Iterator[str]:
    rows = dict(_pages(ways))
    if ways.metrics is not None:
        rows["metrics"] = f"{ways.metrics}/metrics"
    if ways.http is not None and ways.url is None:
        rows["HTTP"] = ways.http
    if ways.url is not None and not ways.settings.disable_mcp:
        rows["MCP"] = f"{ways.url}/mcp"
    if ways.grpc is not None:
        rows["gRPC"] = ways.grpc
    yield ""
    for name, address in rows.items():
        yield f"  {screen.styled(name.ljust(8), 'dim')}  {screen.styled(harmless(address), 'bold')}"
    yield ""
    # Never cut, and nothing behind it: it is there to be copied.
    yield f"  {harmless(_request(task, ways))}"
    yield ""


def _request(task: Task[Any], ways: _Ways) -> str:
    """A command that asks the model for the example of its type; the key, where one is needed, is in `$KEY`."""
    body, key = dict(task.example), ""
    query, passage = "What is the capital of France?", "Paris is the capital of France."
    scores_pairs = task.takes_pairs and Ability.SCORE in task.abilities
    if ways.settings.api_key is not None:
        key = ' -H "Authorization: Bearer $KEY"'
    if ways.http is None:
        if scores_pairs:
            body |= {"inputs": [query], "text_pairs": [passage]}
        plain = "" if ways.settings.cert_file else " -plaintext"
        return f"grpcurl{plain}{key} -d {_quoted(body)} {ways.grpc} encoderfile.{task.service()}/Predict"
    if scores_pairs:
        body["inputs"] = [{"text": query, "text_pair": passage}]
    to = f"{ways.url}/predict"
    if ways.url is None:
        to = f"--unix-socket {shlex.quote(ways.http.removeprefix(UNIX))} http://localhost/predict"
    return f"curl {to} -H 'Content-Type: application/json'{key} -d {_quoted(body)}"


def _quoted(body: dict[str, Any]) -> str:
    return shlex.quote(json.dumps(body, ensure_ascii=False))
