"""The trace that the request being answered belongs to: set by a transport, read by the log."""

from __future__ import annotations

from contextvars import ContextVar

current: ContextVar[str] = ContextVar("trace_id", default="")
"""32 hexadecimal digits, or empty outside of a request."""
