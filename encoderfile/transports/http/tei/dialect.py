"""The dialect of text-embeddings-inference: bare answers, times in headers, failures as `{"error", "error_type"}`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct
from starlette.responses import Response

from encoderfile.errors import (
    EmptyRequestError,
    EmptyTextError,
    InputError,
    Kind,
    RequestTooLargeError,
    TooLongError,
    UnableError,
)
from encoderfile.service.service import Service
from encoderfile.transports.http.dialect import Dialect
from encoderfile.transports.http.endpoint import Answer, Call, Form
from encoderfile.transports.http.failures import Failure
from encoderfile.types import Input, Prediction, TokenIds

STATUS: dict[Kind, int] = {
    Kind.INVALID_ARGUMENT: 422,
    Kind.UNAUTHENTICATED: 401,
    Kind.RESOURCE_EXHAUSTED: 429,
    Kind.UNAVAILABLE: 503,
    Kind.INTERNAL: 424,
    Kind.FAILED_PRECONDITION: 424,
}
"""One status per kind."""

OF_CLASS: dict[type, int] = {
    EmptyRequestError: 400,
    EmptyTextError: 400,
    RequestTooLargeError: 413,
    TooLongError: 413,
    UnableError: 424,
}

_ErrorType = Literal["Unhealthy", "Backend", "Overloaded", "Validation", "Tokenizer", "Empty"]
_ERROR_TYPES: dict[int, _ErrorType] = {400: "Empty", 424: "Backend", 429: "Overloaded", 503: "Unhealthy"}
"""By status; Validation for the others."""


class TeiError(Struct):
    error: str
    error_type: _ErrorType


def _fail(failure: Failure) -> Response:
    return failure.json(TeiError(failure.message, _ERROR_TYPES.get(failure.status, "Validation")))


HEADERS = (
    "x-compute-type",
    "x-compute-time",
    "x-compute-characters",
    "x-compute-tokens",
    "x-total-time",
    "x-tokenization-time",
    "x-queue-time",
    "x-inference-time",
)

DIALECT = Dialect(
    name="TEI",
    prefixes=(
        *("/embed", "/similarity", "/tokenize", "/decode"),
        *("/info", "/invocations", "/vertex"),
    ),
    fail=_fail,
    error=TeiError,
    statuses=STATUS,
    of_class=OF_CLASS,
    also=(),
    headers=HEADERS,
)

S = TypeVar("S", bound=Struct)

InputIds = list[int]
_Ids = list[str | int | InputIds]
Inputs = Annotated[
    str | _Ids, Meta(description="A text, or its token ids, special ones included; or a list of those.")
]


class Truncating(Struct, kw_only=True):
    """What becomes of a text over the model's limit: by default what `--overflow` says."""

    truncate: bool | None = None
    truncation_direction: Literal["Left", "Right", "left", "right"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing that TEI does, under whatever path: what it takes and how it is answered."""

    request: type[Struct]
    response: Any
    handle: Callable[[Call, Any], Awaitable[Answer]]
    several: Callable[[Call, Sequence[Any]], Awaitable[Answer]] | None = None
    """Answers several requests as one, for what takes much memory until it is sent: an iterator of answers."""
    supported: bool
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def form(self, is_meant: Callable[[Any], bool]) -> Form:
        """The operation on a route that it shares with another."""
        return Form(
            dialect=DIALECT,
            is_meant=is_meant,
            handle=self.handle,
            request=self.request,
            response=self.response,
            facts=self.facts,
            supported=self.supported,
        )

    @property
    def described(self) -> dict[str, Any]:
        """Arguments of `post`."""
        names = ("request", "response", "supported", "facts")
        return {name: getattr(self, name) for name in names}


def alike(every: Sequence[S]) -> S:
    """What several requests ask that are answered as one. Raises `InputError` for different ones."""
    first = every[0]
    if any(msgspec.structs.replace(each, inputs="") != msgspec.structs.replace(first, inputs="") for each in every):
        raise InputError("instances differ in more than their inputs: send those in requests of their own")
    return first


async def one_of(several: Callable[[Call, Sequence[S]], Awaitable[Answer]], call: Call, asked: S) -> Answer:
    """The answer to one request, by what answers several."""
    answer = await several(call, [asked])
    return Answer(next(answer.content), answer.headers)


def inputs_of(given: str | _Ids) -> list[Input]:
    """One input, or those of a list. A list of numbers is the ids of one text."""
    if isinstance(given, str):
        return [given]
    if given and all(isinstance(each, int) for each in given):
        return [TokenIds(given)]  # type: ignore[arg-type]
    return [each if isinstance(each, str) else TokenIds([each] if isinstance(each, int) else each) for each in given]


def answered(
    call: Call, service: Service, content: Any, inputs: Sequence[Input], prediction: Prediction[Any]
) -> Answer:
    """The answer with its headers: what was read, and the milliseconds that it took."""
    timing = call.answering.timing
    total = call.answering.seconds
    values = {
        "x-compute-type": "gpu" if service.device == "cuda" else service.device,
        "x-compute-time": _milliseconds(total),
        "x-compute-characters": str(sum(map(_characters, inputs))),
        "x-compute-tokens": str(prediction.token_count),
        "x-total-time": _milliseconds(total),
        "x-tokenization-time": _milliseconds(timing.tokenization),
        "x-queue-time": _milliseconds(timing.queue),
        "x-inference-time": _milliseconds(timing.inference),
    }
    return Answer(content, values)


def _milliseconds(seconds: float) -> str:
    return str(round(1000 * seconds))


def _characters(text: Input) -> int:
    if isinstance(text, TokenIds):
        return 0
    return len(text) if isinstance(text, str) else len(text[0]) + len(text[1])
