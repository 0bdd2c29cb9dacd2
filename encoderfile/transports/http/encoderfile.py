"""The Encoderfile dialect: `/health`, `/model`, `/openapi.json`, `/predict`."""

from __future__ import annotations

import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from encoderfile.service.json_form import answer_pieces, read_request
from encoderfile.service.service import Service
from encoderfile.service.turns import in_turns
from encoderfile.transports.http import openapi
from encoderfile.transports.http.body import read_json
from encoderfile.transports.http.pieces import Pieces


def routes(service: Service, max_body_bytes: int) -> list[Route]:
    """The four routes of the dialect."""
    document = orjson.dumps(openapi.document(service.info, service.task))

    async def health(request: Request) -> Response:
        if service.fault:
            return PlainTextResponse(service.fault, 503, {"Retry-After": "1"})
        # SIE's clients ask here what kind of server this is, and read nothing but an object.
        if "x-sie-sdk-version" in request.headers:
            return _json(b'{"status":"healthy","type":"worker"}')
        return _json(b'"OK!"')

    async def model(_: Request) -> Response:
        return _json(orjson.dumps(service.info.to_json()))

    async def openapi_json(_: Request) -> Response:
        return _json(document)

    async def predict(request: Request) -> Response:
        with service.metrics.request("predict") as measured:
            body = await read_json(request, max_body_bytes)
            prediction = await service.predict(read_request(body, service.task, service.info.truncation_side))
            measured.timing = prediction.timing
        headers = {}
        if prediction.truncated_inputs:
            headers["X-Truncated-Inputs"] = str(prediction.truncated_inputs)
        return Pieces(await in_turns(answer_pieces(prediction)), headers)

    return [
        Route("/health", health, methods=["GET"]),
        Route("/model", model, methods=["GET"]),
        Route("/openapi.json", openapi_json, methods=["GET"]),
        Route("/predict", predict, methods=["POST"]),
    ]


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json")
