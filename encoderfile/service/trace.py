"""The trace that the request being answered belongs to: set by a transport, read by the log."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

current: ContextVar[str] = ContextVar("trace_id", default="")
"""32 hexadecimal digits, or empty outside of a request."""

HEADER = "x-trace-id"

# version, trace id, id of the caller's span, flags; later versions may add to it. https://www.w3.org/TR/trace-context
_TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")
_TRACE_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")


def trace_id(headers: Mapping[str, Any]) -> str:
    """The caller's trace id, or a new one; names of headers in lower case.

    A `traceparent` that breaks its rules counts as none.
    """
    parent = _TRACEPARENT.fullmatch(str(headers.get("traceparent", "")).strip())
    if parent and not (parent[1] == "00" and parent[3]):
        return parent[2]
    named = str(headers.get(HEADER, "")).strip().lower()
    return named if _TRACE_ID.fullmatch(named) else secrets.token_hex(16)
