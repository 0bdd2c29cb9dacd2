"""`POST /classify` and `GET /models`, as Infinity's clients speak them; its other routes are those of others."""

from __future__ import annotations

import time
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from encoderfile.errors import Kind, UnableError
from encoderfile.service import abilities
from encoderfile.service.naming import naming
from encoderfile.service.service import Service
from encoderfile.tasks.abilities import Ability
from encoderfile.transports.http import failures, schemas
from encoderfile.transports.http.cohere.dialect import new_id
from encoderfile.transports.http.dialect import Dialect, json_response
from encoderfile.transports.http.endpoint import Answer, Call, Endpoint, get, post
from encoderfile.transports.http.failures import Failure
from encoderfile.transports.http.names import check_given, ids
from encoderfile.types import PredictRequest


class InfinityFault(Struct):
    message: str
    type: str | None
    param: str | None
    code: int


class InfinityError(Struct):
    error: InfinityFault


def _fail(failure: Failure) -> Response:
    return failure.json(InfinityError(InfinityFault(failure.message, None, failure.field, failure.status)))


DIALECT = Dialect(
    name="Infinity",
    prefixes=("/classify", "/models"),
    fail=_fail,
    error=InfinityError,
    statuses={**failures.STATUS, Kind.RESOURCE_EXHAUSTED: 429},
    of_class={UnableError: 400},
)


class InfinityClassifyRequest(Struct, kw_only=True):
    input: Annotated[list[str], Meta(min_length=1)]
    model: str | None = None
    raw_scores: Annotated[bool | None, Meta(description="Whether scores are the logits.")] = None


class InfinityClassifyResponse(Struct):
    """Every label of each text, the best first."""

    object: Literal["classify"]
    id: str
    created: schemas.Count
    model: str
    data: list[list[schemas.ScoredLabel]]
    usage: schemas.Usage


class InfinityModel(Struct, kw_only=True):
    """`owned_by` is left out, for Infinity's clients take no word there but their own."""

    id: str
    object: str = "model"
    created: schemas.Count
    capabilities: list[str]
    backend: str = "encoderfile"
    stats: dict[str, float]


class InfinityModels(Struct):
    data: list[InfinityModel]
    object: str = "list"


def endpoints(service: Service) -> list[Endpoint]:
    """The two routes."""
    info = service.info

    async def classify(call: Call, asked: InfinityClassifyRequest) -> Answer:
        check_given(asked.model, info)
        abilities.check_classifies(service.task, info.model_id)
        with naming(input=len(asked.input)):
            prediction = await call.answering.by(service.predict(PredictRequest(asked.input, raw=True)))
        rows = (each.logits if asked.raw_scores else each.scores for each in prediction.results)
        return Answer(
            {
                "object": "classify",
                "id": new_id(),
                "created": int(time.time()),
                "model": info.model_id,
                "data": (schemas.scored_labels(row, service.task.labels) for row in rows),
                "usage": schemas.usage(prediction.token_count),
            }
        )

    async def models(_: Request) -> Response:
        waiting, room = service.waiting, service.limits.max_queue
        stats = {
            "queue_fraction": waiting / max(room, 1),
            "queue_absolute": waiting,
            "results_pending": waiting,
            "batch_size": service.limits.max_batch_tokens,
        }
        found = [
            InfinityModel(
                id=name, created=int(service.metrics.started), capabilities=_capabilities(service), stats=stats
            )
            for name in (info.model_id, *info.served_names)
        ]
        return json_response(msgspec.json.encode(InfinityModels(found)))

    return [
        post(
            service,
            DIALECT,
            "/classify",
            classify,
            name="classify",
            summary="Every label of texts, as Infinity gives them",
            request=InfinityClassifyRequest,
            response=InfinityClassifyResponse,
            supported=service.task.classifies,
            facts={"model": {"enum": ids(info)}},
        ),
        get(
            DIALECT,
            "/models",
            "The one model under its names, as Infinity lists it",
            models,
            InfinityModels,
            name="infinity_models",
        ),
    ]


def _capabilities(service: Service) -> list[str]:
    able = service.task.abilities
    words = {"embed": Ability.DENSE in able, "rerank": Ability.SCORE in able, "classify": service.task.classifies}
    return [word for word, is_able in words.items() if is_able]
