"""A new HTTP dialect is shapes, endpoints and a way to tell failures; everything else is there."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from msgspec import Struct
from openapi_spec_validator import OpenAPIV30SpecValidator
from starlette.applications import Starlette
from starlette.exceptions import HTTPException

from encoderfile.errors import EncoderfileError, InternalError, QueueFullError
from encoderfile.service.metrics import Metrics
from encoderfile.transports.http import failures, openapi
from encoderfile.transports.http.dialect import Dialect
from encoderfile.transports.http.endpoint import Answer, Call, Endpoint, post
from encoderfile.types import ModelInfo, Timing
from support.loop import in_loop


class CountRequest(Struct, kw_only=True):
    texts: list[str]
    loud: bool | None = None


class CountResponse(Struct):
    counts: list[int]


class CountError(Struct):
    wrong: str
    where: str | None


TOY = Dialect(
    prefixes=("/toy/",),
    fail=lambda failure: failure.json({"wrong": failure.message, "where": failure.field}),
    error=CountError,
    statuses=failures.BAD_REQUEST,
)


class Toy:
    """An application with one route, and what its service counted."""

    def __init__(self, error: Exception | None = None) -> None:
        self.metrics = Metrics("m", "cpu", 0)
        self.counted_while_writing: list[Any] = []
        self._error = error
        service: Any = SimpleNamespace(metrics=self.metrics)
        self.endpoint: Endpoint = post(
            service,
            TOY,
            "/toy/count",
            self._count,
            name="count",
            summary="Characters of texts",
            request=CountRequest,
            response=CountResponse,
        )
        app = Starlette(
            routes=[self.endpoint.route],
            exception_handlers=dict.fromkeys((EncoderfileError, HTTPException), self._refuse),
        )
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://toy")

    async def ask(self, body: Any) -> httpx.Response:
        return await self._client.post("/toy/count", json=body)

    async def _count(self, call: Call, asked: CountRequest) -> Answer:
        async def found() -> Any:
            if self._error is not None:
                raise self._error
            return SimpleNamespace(timing=Timing(0.1, 0.2, 0.3), truncated_inputs=2)

        await call.answering.by(found())
        return Answer({"counts": self._written(asked.texts)}, {"X-Toy": "1"})

    def _written(self, texts: list[str]) -> Iterator[int]:
        for text in texts:
            self.counted_while_writing.append(dict(self.metrics.requests.values))
            yield len(text)

    async def _refuse(self, _: Any, error: Exception) -> Any:
        return TOY.refuse(error)


@in_loop
async def test_a_request_is_read_answered_counted_and_timed() -> None:
    toy = Toy()
    response = await toy.ask({"texts": ["a", "bcd"]})
    assert (response.status_code, response.json()) == (200, {"counts": [1, 3]})
    assert (response.headers["x-toy"], response.headers["x-truncated-inputs"]) == ("1", "2")
    assert toy.metrics.requests.values == {("m", "count", "success"): 1}
    assert {labels[-1] for labels in toy.metrics.durations.values} == {"total", "queue", "tokenize", "inference"}


@in_loop
async def test_writing_the_answer_is_part_of_the_time_of_a_request() -> None:
    toy = Toy()
    await toy.ask({"texts": ["a", "b"]})
    assert toy.counted_while_writing == [{}, {}]


@pytest.mark.parametrize(
    ("body", "message", "field"),
    [
        ({}, "the field texts is missing", "texts"),
        ({"texts": ["a", 1]}, "texts[1] should be a string, got a number", "texts"),
        ({"texts": [], "loud": "yes"}, "loud should be true or false, got a string", "loud"),
        ([], "the body should be a JSON object", None),
    ],
)
@in_loop
async def test_a_wrong_request_is_told_in_the_words_of_the_dialect(
    body: Any, message: str, field: str | None
) -> None:
    response = await Toy().ask(body)
    assert response.status_code == 400
    assert response.json() == {"wrong": f"Invalid input: {message}", "where": field}


@pytest.mark.parametrize(
    ("error", "status", "retry", "counted"),
    [
        (QueueFullError("full"), 503, "1", "queue_full"),
        (InternalError("broken"), 500, None, "error"),
    ],
)
@in_loop
async def test_a_failure_of_the_service_has_the_status_of_the_table(
    error: Exception, status: int, retry: str | None, counted: str
) -> None:
    toy = Toy(error)
    response = await toy.ask({"texts": ["a"]})
    assert (response.status_code, response.headers.get("retry-after")) == (status, retry)
    assert toy.metrics.requests.values == {("m", "count", counted): 1}


def test_the_document_describes_it() -> None:
    info = ModelInfo("m", "1", "toy", None, 8)
    document = openapi.document(info, [Toy().endpoint])
    OpenAPIV30SpecValidator(document).validate()
    responses = document["paths"]["/toy/count"]["post"]["responses"]
    assert set(responses) == {"200", "400", "401", "404", "408", "413", "500", "503"}
    assert set(document["components"]["schemas"]) == {"CountRequest", "CountResponse", "CountError"}
    assert document["components"]["schemas"]["CountRequest"]["properties"]["loud"] == {
        "type": "boolean",
        "nullable": True,
    }
