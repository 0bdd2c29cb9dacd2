"""The SIE dialect: JSON or msgpack, and failures as `{"detail": {"code", "message"}, "code"}`, always JSON."""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType
from starlette.responses import Response

from encoderfile.errors import InputError, Kind, TooLongError
from encoderfile.transports.http import failures
from encoderfile.transports.http.dialect import JSON, Dialect
from encoderfile.transports.http.failures import Failure
from encoderfile.transports.http.names import ModelNotFoundError
from encoderfile.transports.http.sie import timing, wire

CODES: dict[Kind, str] = {
    Kind.INVALID_ARGUMENT: "INVALID_INPUT",
    Kind.UNAUTHENTICATED: "UNAUTHENTICATED",
    Kind.RESOURCE_EXHAUSTED: "QUEUE_FULL",
    Kind.UNAVAILABLE: "MODEL_NOT_LOADED",
    Kind.INTERNAL: "INFERENCE_ERROR",
    Kind.FAILED_PRECONDITION: "INTERNAL_ERROR",
}
"""One code per kind."""

_HTTP_CODES = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED", 413: "INPUT_TOO_LONG"}


class SieDetail(Struct):
    code: str
    message: str
    requested_profile: str | UnsetType = UNSET
    worker_identity: str | UnsetType = UNSET


class SieError(Struct):
    """The second `code` is for the TypeScript client, which looks nowhere else."""

    detail: SieDetail
    code: str


class ProfileMismatchError(InputError):
    """The request is meant for another machine."""

    def __init__(self, requested: str, device: str) -> None:
        super().__init__(
            f"the request is for the machine profile '{requested}', and this is '{device}': "
            "remove the header X-SIE-MACHINE-PROFILE"
        )
        self.requested, self.device = requested, device


def fail(failure: Failure) -> Response:
    """The answer to a request that failed."""
    code = _code(failure)
    detail = SieDetail(code, failure.message)
    if isinstance(failure.error, ProfileMismatchError):
        detail.requested_profile, detail.worker_identity = failure.error.requested, failure.error.device
    return failure.json(SieError(detail, code))


def _code(failure: Failure) -> str:
    if isinstance(failure.error, ModelNotFoundError):
        return "MODEL_NOT_FOUND"
    if isinstance(failure.error, TooLongError):
        return "INPUT_TOO_LONG"
    if failure.kind is None:
        return _HTTP_CODES.get(failure.status, "INVALID_INPUT")
    return CODES[failure.kind]


DIALECT = Dialect(
    prefixes=("/v1/",),
    fail=fail,
    error=SieError,
    statuses=failures.BAD_REQUEST,
    read=wire.read,
    write=wire.write,
    # Its schema is that of JSON, arrays packed as msgpack-numpy packs them.
    media=(JSON, wire.MSGPACK),
    headers=timing.HEADERS,
)
