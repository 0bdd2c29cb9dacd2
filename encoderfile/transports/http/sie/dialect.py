"""The SIE dialect: JSON or msgpack, times in headers, failures as `{"detail": {"code", "message"}, "code"}`."""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import astuple
from starlette.responses import Response

from encoderfile.errors import InputError, Kind, TooLongError
from encoderfile.service.metrics import Answering
from encoderfile.transports.http import failures
from encoderfile.transports.http.dialect import JSON, Dialect
from encoderfile.transports.http.failures import Failure
from encoderfile.transports.http.names import ModelNotFoundError
from encoderfile.transports.http.sie import wire

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
    model: str | UnsetType = UNSET


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


class ContextError(TooLongError):
    """A text with its labels is longer than the model takes."""

    def __init__(self, error: TooLongError, model: str, limit: int) -> None:
        """`error` has an index, and its tokens are counted."""
        assert error.observed is not None
        whole, text = error.observed
        super().__init__(
            f"Item {error.index}: observed {whole} tokens (text={text}, label_prompt={whole - text}) exceeds context "
            f"cap {limit} for {model}"
        )
        self.model = model

    def __str__(self) -> str:
        return str(self.args[0])  # the page has no words before it


def fail(failure: Failure) -> Response:
    """The answer to a request that failed."""
    code = _code(failure)
    detail = SieDetail(code, failure.message)
    if isinstance(failure.error, ProfileMismatchError):
        detail.requested_profile, detail.worker_identity = failure.error.requested, failure.error.device
    if isinstance(failure.error, ContextError):
        detail.model = failure.error.model
    return failure.json(SieError(detail, code))


def _code(failure: Failure) -> str:
    if isinstance(failure.error, ModelNotFoundError):
        return "MODEL_NOT_FOUND"
    if isinstance(failure.error, TooLongError):
        return "INPUT_TOO_LONG"
    if failure.kind is None:
        return _HTTP_CODES.get(failure.status, "INVALID_INPUT")
    return CODES[failure.kind]


TIMES = ("X-Total-Time", "X-Queue-Time", "X-Tokenization-Time", "X-Inference-Time", "X-Postprocessing-Time")


class Times(Struct):
    """`timing` in the body of an answer; `postprocessing_ms` is null where there was none."""

    total_ms: float
    queue_ms: float
    tokenization_ms: float
    inference_ms: float
    postprocessing_ms: float | None = None

    def headers(self) -> dict[str, str]:
        """The same in headers."""
        told = zip(TIMES, astuple(self), strict=True)
        return {
            "X-SIE-Server-Version": wire.SERVER_VERSION,
            **{name: f"{value:.2f}" for name, value in told if value is not None},
        }


def times(answering: Answering, postprocessing: float | None = None) -> Times:
    """What is known when the answer is ready to be written; `postprocessing` in seconds."""
    timing = answering.timing
    seconds = (answering.seconds, timing.queue, timing.tokenization, timing.inference)
    total, queue, tokenization, inference = (1000 * each for each in seconds)
    return Times(total, queue, tokenization, inference, postprocessing and 1000 * postprocessing)


DIALECT = Dialect(
    name="SIE",
    prefixes=("/v1/",),
    fail=fail,
    error=SieError,
    statuses=failures.BAD_REQUEST,
    read=wire.read,
    write=wire.write,
    # Its schema is that of JSON, arrays packed as msgpack-numpy packs them.
    media=(JSON, wire.MSGPACK),
    headers=TIMES,
)
