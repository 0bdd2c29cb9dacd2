"""The SIE dialect as a value: JSON or msgpack, 400 for what is at fault, times in headers."""

from __future__ import annotations

from encoderfile.transports.http import failures
from encoderfile.transports.http.dialect import JSON, Dialect
from encoderfile.transports.http.sie import errors, timing, wire

DIALECT = Dialect(
    prefixes=("/v1/",),
    fail=errors.fail,
    error=errors.SieError,
    statuses=failures.BAD_REQUEST,
    read=wire.read,
    write=wire.write,
    # Its schema is that of JSON, arrays packed as msgpack-numpy packs them.
    media=(JSON, wire.MSGPACK),
    headers=timing.HEADERS,
)
