"""A new HTTP dialect is shapes, a `Dialect` and endpoints: the module of docs/how-it-works.md, run as it stands."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import httpx
import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator
from starlette.applications import Starlette
from starlette.exceptions import HTTPException

from encoderfile.errors import EncoderfileError, InternalError, QueueFullError
from encoderfile.transports.http import openapi
from encoderfile.transports.http.endpoint import routes
from encoderfile.types import ModelInfo, PredictRequest, Timing
from support.loop import in_loop
from support.metrics import metrics_of
from support.models import ROOT

PAGE = (ROOT / "docs" / "how-it-works.md").read_text(encoding="utf-8")
APP = (ROOT / "encoderfile" / "transports" / "http" / "app.py").read_text(encoding="utf-8")


@pytest.fixture(scope="module", autouse=True)
def recipe() -> Iterator[None]:
    """The module of the page, where Python finds it."""
    (text,) = re.findall(r"^## A new HTTP dialect\n.*?^```python\n(.*?)^```", PAGE, flags=re.M | re.S)
    module = sys.modules["toy"] = ModuleType("toy")
    exec(text, module.__dict__)
    yield
    del sys.modules["toy"]


class Toy:
    """An application with the routes of the page, and what its service counted."""

    def __init__(self, error: Exception | None = None) -> None:
        self.metrics = metrics_of("m")
        self.counted_while_writing: list[Any] = []
        self._error = error
        service: Any = SimpleNamespace(metrics=self.metrics, predict=self._predict)
        self.module: Any = sys.modules["toy"]
        self.endpoints = self.module.endpoints(service)
        app = Starlette(
            routes=routes(self.endpoints),
            exception_handlers=dict.fromkeys((EncoderfileError, HTTPException), self._refuse),
        )
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://toy")

    async def ask(self, body: Any) -> httpx.Response:
        return await self._client.post("/toy/labels", json=body)

    async def _predict(self, request: PredictRequest) -> Any:
        if self._error is not None:
            raise self._error
        return SimpleNamespace(results=self._results(request), timing=Timing(0.1, 0.2, 0.3), truncated_inputs=2)

    def _results(self, request: PredictRequest) -> Iterator[Any]:
        for text in request.inputs:
            self.counted_while_writing.append(dict(self.metrics.requests.values))
            yield SimpleNamespace(predicted_label=f"label of {text}")

    async def _refuse(self, _: Any, error: Exception) -> Any:
        return self.module.DIALECT.refuse(error)


def test_the_tuple_that_the_page_names_is_there() -> None:
    assert "`_OTHERS`" in PAGE
    assert "\n_OTHERS = (" in APP


@in_loop
async def test_a_request_is_read_answered_counted_and_timed() -> None:
    toy = Toy()
    response = await toy.ask({"texts": ["a", "bcd"]})
    assert (response.status_code, response.json()) == (200, {"labels": ["label of a", "label of bcd"]})
    assert response.headers["x-truncated-inputs"] == "2"
    assert toy.metrics.requests.values == {("m", "labels", "success"): 1}
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
    assert toy.metrics.requests.values == {("m", "labels", counted): 1}


def test_the_document_describes_it() -> None:
    info = ModelInfo("m", "1", "toy", None, 8)
    document = openapi.document(info, Toy().endpoints)
    OpenAPIV30SpecValidator(document).validate()
    responses = document["paths"]["/toy/labels"]["post"]["responses"]
    assert set(responses) == {"200", "400", "401", "404", "408", "413", "500", "503"}
    assert set(document["components"]["schemas"]) == {"LabelsRequest", "LabelsResponse", "LabelsError"}
    assert document["components"]["schemas"]["LabelsRequest"]["properties"]["loud"] == {
        "type": "boolean",
        "nullable": True,
    }
