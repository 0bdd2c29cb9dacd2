"""The Encoderfile dialect: `/health`, `/model`, `/predict`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import orjson
from msgspec import UNSET, Struct, UnsetType
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from encoderfile.service.json_form import answer, read_request, request_schema, response_schema
from encoderfile.service.service import Service
from encoderfile.transports.http.dialect import PLAIN, json_response
from encoderfile.transports.http.endpoint import Answer, Call, Endpoint, Form, get, post
from encoderfile.transports.http.schemas import Given
from encoderfile.types import PredictRequest


class Model(Struct):
    model_id: str
    model_type: str
    id2label: dict[str, str] | UnsetType = UNSET


def endpoints(service: Service, forms_of_predict: Sequence[Form] = ()) -> list[Endpoint]:
    """The routes of the dialect but for `/openapi.json`, which describes the others too.

    `forms_of_predict` are those of other dialects that have a `/predict`.
    """
    task, info = service.task, service.info

    async def health(request: Request) -> Response:
        if service.fault:
            return PlainTextResponse(service.fault, 503, {"Retry-After": "1"})
        # SIE's clients ask here what kind of server this is, and read nothing but an object.
        if "x-sie-sdk-version" in request.headers:
            return json_response(b'{"status":"healthy","type":"worker"}')
        return json_response(b'"OK!"')

    async def model(_: Request) -> Response:
        return json_response(orjson.dumps(service.info.to_json()))

    async def predict(call: Call, asked: PredictRequest) -> Answer:
        return Answer(answer(await call.answering.by(service.predict(asked))))

    return [
        get(PLAIN, "/health", "Whether the server runs", health, Literal["OK!"], also=(503,), open=True),
        get(PLAIN, "/model", "What the model is", model, Model),
        post(
            service,
            PLAIN,
            "/predict",
            predict,
            name="predict",
            summary=task.summary,
            request=Given("Request", lambda: request_schema(task, info)),
            read=lambda body: read_request(body, task, info.truncation_side),
            response=Given("Response", lambda: response_schema(task)),
            example=dict(task.example),
            forms=forms_of_predict,
        ),
    ]
