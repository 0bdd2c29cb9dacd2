"""`GET /v1/models` and `GET /v1/models/{model}`: the one model, always as JSON."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from encoderfile.service.json_chunks import dumps
from encoderfile.service.service import Service
from encoderfile.tasks.abilities import Ability
from encoderfile.transports.http.dialect import json_response
from encoderfile.transports.http.endpoint import Endpoint
from encoderfile.transports.http.names import DEFAULT_PROFILE, check_model
from encoderfile.transports.http.schemas import Count
from encoderfile.transports.http.sie.dialect import DIALECT


class Profile(Struct):
    is_default: bool


class SieModel(Struct):
    """The model as SIE's clients read it, then as OpenAI's do."""

    name: str
    inputs: list[str]
    outputs: list[str]
    dims: dict[str, Count]
    loaded: bool
    state: str
    last_error: dict[str, Any] | None
    max_sequence_length: Count
    profiles: dict[str, Profile]
    id: str
    object: str
    created: Count
    owned_by: str


class SieModels(Struct):
    models: list[SieModel]
    object: str
    data: list[SieModel]


def outputs(service: Service) -> list[str]:
    """What the model gives, in SIE's words: kinds of vectors, `score`, and `json` for extraction."""
    found = list(service.task.dims)
    if Ability.SCORE in service.task.abilities:
        found.append("score")
    if Ability.EXTRACT in service.task.abilities:
        found.append("json")
    return found


def describe(service: Service) -> dict[str, Any]:
    """The model as the list shows it."""
    return {
        "name": service.info.model_id,
        "inputs": ["text"],
        "outputs": outputs(service),
        "dims": dict(service.task.dims),
        "loaded": True,
        "state": "loaded",
        "last_error": None,
        "max_sequence_length": service.info.max_length,
        "profiles": {DEFAULT_PROFILE: {"is_default": True}},
        # What OpenAI's clients read of a list of models.
        "id": service.info.model_id,
        "object": "model",
        "created": 0,
        "owned_by": "encoderfile",
    }


def endpoints(service: Service) -> list[Endpoint]:
    """The two routes."""

    async def every(_: Request) -> Response:
        model = describe(service)
        return json_response(dumps({"models": [model], "object": "list", "data": [model]}))

    async def one(request: Request) -> Response:
        check_model(request.path_params["model"], service.info)
        return json_response(dumps(describe(service)))

    return [
        Endpoint(
            dialect=DIALECT,
            path="/v1/models",
            name="models",
            summary="The one model",
            respond=every,
            response=SieModels,
            also=(404,),
        ),
        Endpoint(
            dialect=DIALECT,
            path="/v1/models/{model}",
            name="get_model",
            summary="The model",
            respond=one,
            response=SieModel,
            also=(404,),
        ),
    ]
