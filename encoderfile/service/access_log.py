"""The access log: one line for each request, however it ended. Off unless `--access-log` asks for it.

It never holds a text, a key, or the query of an address.
"""

from __future__ import annotations

import json
import logging
import time
from urllib.parse import quote

from encoderfile.service.ended import Ended
from encoderfile.service.trace import current
from encoderfile.service.work import Work

log = logging.getLogger("encoderfile.access")
log.setLevel(logging.CRITICAL + 1)

_LONGEST = 500
"""Characters of what a client chose."""


def is_on() -> bool:
    """Whether anybody wants the lines."""
    return log.isEnabledFor(logging.INFO)


def write(ended: Ended, work: Work | None = None, level: int = logging.INFO) -> None:
    """Writes the line of a request that has ended."""
    if log.isEnabledFor(level):
        log.log(level, "", extra={"ended": ended, "work": work or Work()})


def write_refused(status: int, client: tuple[str, int] | None, path: str = "") -> None:
    """Writes the line of what never became a request: not HTTP, or over the maximum of connections."""
    if is_on():
        write(
            Ended(
                protocol="http",
                method="-",
                route="",
                path=path or "-",
                status=str(status),
                seconds=0.0,
                client=address(client),
            )
        )


def address(client: tuple[str, int] | None) -> str:
    """The other end of a connection as one word."""
    if not client:
        return ""
    host, port = client[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class TextFormatter(logging.Formatter):
    """A line for people: time, client, what was asked, status, milliseconds, and what it brought."""

    def format(self, record: logging.LogRecord) -> str:
        ended, work = _of(record)
        parts = [
            self.formatTime(record),
            _word(ended.client) or "-",
            "gRPC" if ended.protocol == "grpc" else _word(ended.method),
            _word(ended.path),
            ended.status,
            f"{1000 * ended.seconds:.1f} ms",
        ]
        if work.texts:
            parts.append(f"{work.texts} texts, {work.tokens} tokens")
        if ended.sent_bytes is not None:
            parts.append(f"{ended.sent_bytes} bytes")
        if trace := current.get():
            parts.append(f"trace {trace}")
        return " ".join(parts)


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        ended, work = _of(record)
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        entry: dict[str, object] = {
            "time": f"{moment}.{int(record.msecs):03}Z",
            "logger": record.name,
            "protocol": ended.protocol,
            "method": ended.method[:_LONGEST],
            "route": ended.route,
            "path": ended.path[:_LONGEST],
            "status": int(ended.status) if ended.status.isdigit() else ended.status,
            "ms": round(1000 * ended.seconds, 3),
            "texts": work.texts,
            "tokens": work.tokens,
            "queue_ms": round(1000 * work.timing.queue, 3),
            "inference_ms": round(1000 * work.timing.inference, 3),
            "bytes": ended.sent_bytes,
            "client": ended.client,
            "user_agent": ended.user_agent[:_LONGEST],
            "trace_id": current.get() or None,
        }
        return json.dumps(entry)


def _of(record: logging.LogRecord) -> tuple[Ended, Work]:
    return record.ended, record.work  # type: ignore[attr-defined]


def _word(text: str) -> str:
    """One word, as an address writes what is not plain: a client must not be able to write lines of its own."""
    return quote(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}...", safe="/!$&'()*+,;=:@~-._[]")
