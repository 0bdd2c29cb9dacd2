"""`GET /v1/models` and `GET /v1/models/{model}`: the one model, always as JSON."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from encoderfile.service.json_pieces import dumps
from encoderfile.service.service import Service
from encoderfile.tasks.abilities import Ability
from encoderfile.transports.http.names import DEFAULT_PROFILE, check_model


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


def routes(service: Service) -> list[Route]:
    """The two routes."""

    async def every(_: Request) -> Response:
        model = describe(service)
        return _json({"models": [model], "object": "list", "data": [model]})

    async def one(request: Request) -> Response:
        check_model(request.path_params["model"], service.info)
        return _json(describe(service))

    return [
        Route("/v1/models", every, methods=["GET"]),
        Route("/v1/models/{model:path}", one, methods=["GET"]),
    ]


def _json(content: dict[str, Any]) -> Response:
    return Response(dumps(content), media_type="application/json")
