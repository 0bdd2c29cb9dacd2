"""`GET /v1/models` and `GET /v1/models/{model}`: the one model under each of its names, always as JSON."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.json import encode
from starlette.requests import Request
from starlette.responses import Response

from encoderfile.service.service import Service
from encoderfile.tasks.abilities import Ability
from encoderfile.transports.http.dialect import json_response
from encoderfile.transports.http.endpoint import Endpoint, get
from encoderfile.transports.http.names import DEFAULT_PROFILE, check_model
from encoderfile.transports.http.schemas import Count
from encoderfile.transports.http.sie.dialect import DIALECT


class Profile(Struct):
    is_default: bool


class SieModel(Struct, kw_only=True):
    """The model as SIE's clients read it, then as OpenAI's, and `model_type` for Xinference's."""

    name: str
    inputs: list[str]
    outputs: list[str]
    dims: dict[str, Count]
    loaded: bool = True
    state: str = "loaded"
    last_error: dict[str, Any] | None = None
    max_sequence_length: Count
    profiles: dict[str, Profile]
    id: str
    object: str = "model"
    created: Count = 0
    owned_by: str = "encoderfile"
    model_type: str


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


def _model_type(service: Service) -> str:
    """In Xinference's words, which has none for what gives entities and labels."""
    if Ability.DENSE in service.task.abilities:
        return "embedding"
    return "rerank" if Ability.SCORE in service.task.abilities else service.info.model_type


def describe(service: Service, name: str) -> SieModel:
    """The model as the list shows it under one of its names."""
    info = service.info
    return SieModel(
        name=name,
        inputs=["text"],
        outputs=outputs(service),
        dims=dict(service.task.dims),
        max_sequence_length=info.max_length,
        profiles={DEFAULT_PROFILE: Profile(is_default=True)},
        id=name,
        model_type=_model_type(service),
    )


def endpoints(service: Service) -> list[Endpoint]:
    """The two routes."""

    async def every(_: Request) -> Response:
        models = [describe(service, name) for name in (service.info.model_id, *service.info.served_names)]
        return json_response(encode(SieModels(models, "list", models)))

    async def one(request: Request) -> Response:
        check_model(request.path_params["model"], service.info)
        asked = str(request.path_params["model"])
        return json_response(encode(describe(service, asked.removesuffix(f":{DEFAULT_PROFILE}"))))

    return [
        get(DIALECT, "/v1/models", "The one model", every, SieModels, name="models", also=(404,)),
        get(DIALECT, "/v1/models/{model}", "The model", one, SieModel, name="get_model", also=(404,)),
    ]
