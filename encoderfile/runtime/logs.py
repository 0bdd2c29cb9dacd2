"""The log: standard library, stderr, text or JSON. Set up once, by the two mains."""

from __future__ import annotations

import json
import logging
import sys
from typing import TextIO

from encoderfile.progress import erase
from encoderfile.service import access_log
from encoderfile.service.trace import current
from encoderfile.terminal import Screen


class JsonFormatter(logging.Formatter):
    """One JSON object a line; what a request caused has its trace."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if current.get():
            entry["trace_id"] = current.get()
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


class _Handler(logging.StreamHandler[TextIO]):
    """Writes no line behind that of a step in progress."""

    def emit(self, record: logging.LogRecord) -> None:
        erase()
        super().emit(record)


class _TextFormatter(logging.Formatter):
    """A line of text; on a terminal the level of a warning or an error has a colour."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")
        self._screen = Screen.of(sys.stderr)

    def format(self, record: logging.LogRecord) -> str:
        level = record.levelname
        style = _LEVELS.get(record.levelno, "")
        return super().format(record).replace(f" {level} ", f" {self._screen.styled(level, style)} ", 1)


_LEVELS = {logging.WARNING: "yellow", logging.ERROR: "bold red"}


def set_up(form: str, level: str, access: str | None = None) -> None:
    """Sends every log record to stderr, as `text` or `json`; those of the access log too, if `access` is a form."""
    handler = _Handler(sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else _TextFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for noisy in ("mcp", "asyncio", "sse_starlette", "uvicorn"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLogger().level))
    logging.getLogger("mcp").setLevel(logging.ERROR)  # it warns of every message that a client got wrong
    if access is not None:
        lines = logging.StreamHandler(sys.stderr)
        lines.setFormatter(access_log.JsonFormatter() if access == "json" else access_log.TextFormatter())
        access_log.log.handlers = [lines]
        access_log.log.propagate = False
        access_log.log.setLevel(logging.DEBUG if level == "debug" else logging.INFO)
