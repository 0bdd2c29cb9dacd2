"""What Cohere's routes have in common: failures as `{"message"}`, and the ids and counts that go with answers."""

from __future__ import annotations

import uuid
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from encoderfile.errors import Kind
from encoderfile.transports.http import failures
from encoderfile.transports.http.dialect import Dialect
from encoderfile.transports.http.schemas import Count


class CohereError(Struct):
    message: str


DIALECT = Dialect(
    name="Cohere",
    prefixes=("/v1/embed", "/v1/tokenize", "/v1/detokenize", "/v1/chat", "/v1/classify", "/v1/summarize", "/v2/"),
    fail=lambda failure: failure.json(CohereError(failures.NO_ROUTE if failure.has_no_route else failure.message)),
    error=CohereError,
    statuses={**failures.BAD_REQUEST, Kind.RESOURCE_EXHAUSTED: 429},
)


class CohereVersion(Struct):
    version: str


class CohereUnits(Struct):
    """Nothing is billed: tokens, special ones included, or searches of up to 100 documents each."""

    input_tokens: Count | UnsetType = UNSET
    search_units: Count | UnsetType = UNSET


class CohereMeta(Struct):
    api_version: CohereVersion
    billed_units: CohereUnits


def new_id() -> str:
    """A new id of an answer."""
    return str(uuid.uuid4())


def meta(version: str, **units: int) -> dict[str, Any]:
    """The JSON of `CohereMeta`."""
    return {"api_version": {"version": version}, "billed_units": units}
