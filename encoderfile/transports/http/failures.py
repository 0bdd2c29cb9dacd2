"""The one reader of failures: what an exception tells a client, before a dialect writes it down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.responses import Response

from encoderfile.errors import EncoderfileError, InputError, InternalError, Kind
from encoderfile.service.known_fields import FieldError

STATUS: dict[Kind, int] = {
    Kind.INVALID_ARGUMENT: 422,
    Kind.UNAUTHENTICATED: 401,
    Kind.RESOURCE_EXHAUSTED: 503,
    Kind.UNAVAILABLE: 503,
    Kind.INTERNAL: 500,
    Kind.FAILED_PRECONDITION: 500,
}
"""One status per kind; a dialect may have another for some."""

BAD_REQUEST: dict[Kind, int] = {**STATUS, Kind.INVALID_ARGUMENT: 400}
"""The table of dialects that answer 400 where we answer 422."""


NO_ROUTE = "there is no such route: this is an encoder, which writes no text; GET / lists the routes that it has"
"""For clients of servers that generate text."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed request, read: `message` is one sentence for the caller."""

    error: EncoderfileError | HTTPException
    status: int
    message: str
    headers: Mapping[str, str]

    @property
    def kind(self) -> Kind | None:
        """None where HTTP itself has the word: 404, 405, 408, 413, 415."""
        return self.error.kind if isinstance(self.error, EncoderfileError) else None

    @property
    def has_no_route(self) -> bool:
        """Whether the path is known to no dialect."""
        return type(self.error) is HTTPException and self.status == 404

    @property
    def field(self) -> str | None:
        """The field of the body that is at fault, where one is."""
        if isinstance(self.error, InputError) and self.error.index is not None:
            return self.error.listed
        return self.error.field if isinstance(self.error, FieldError) else None

    def json(self, content: Struct) -> Response:
        """The response with `content` as its body."""
        return Response(msgspec.json.encode(content), self.status, self.headers, "application/json")


def read(error: Exception, statuses: Mapping[Kind, int], of_class: Mapping[type, int]) -> Failure:
    """What `error` is by the tables of a dialect: that of classes first, then that of kinds.

    `Retry-After` is set where trying again can help.
    """
    if isinstance(error, HTTPException):
        return Failure(error, error.status_code, error.detail, error.headers or {})
    if not isinstance(error, EncoderfileError):
        error = InternalError.unforeseen()
    found = (of_class[each] for each in type(error).__mro__ if each in of_class)
    status = next(found, statuses[error.kind])
    headers = {"Retry-After": "1"} if status in (429, 503) else {}
    if error.kind is Kind.UNAUTHENTICATED:
        headers["WWW-Authenticate"] = "Bearer"
    return Failure(error, status, str(error), headers)
