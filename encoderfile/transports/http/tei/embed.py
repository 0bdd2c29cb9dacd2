"""`/embed`, `/embed_all` and `/embed_sparse`: one vector per text, one per token, or weights of words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from msgspec import Struct

from encoderfile.service import dimensions, prompts
from encoderfile.service.service import Service
from encoderfile.tasks.abilities import Ability
from encoderfile.transports.http.endpoint import Answer, Call
from encoderfile.transports.http.schemas import Count
from encoderfile.transports.http.tei.dialect import Inputs, Operation, Truncating, answered, inputs_of, truncation
from encoderfile.types import FloatArray, Input, Prediction, PredictRequest


class EmbedAllRequest(Truncating, kw_only=True):
    """And the body of `/embed_sparse`."""

    inputs: Inputs
    prompt_name: str | None = None
    prompt: str | None = None
    input_type: str | None = None


class EmbedRequest(EmbedAllRequest, kw_only=True):
    normalize: bool | None = None
    dimensions: int | None = None


class SparseValue(Struct):
    index: Count
    value: float


def embed(service: Service) -> Operation:
    """One vector per text, of unit length unless the request says otherwise."""

    async def handle(call: Call, asked: EmbedRequest) -> Answer:
        service.check_ability(Ability.DENSE)
        kept = dimensions.read(asked.dimensions, service)
        normalize = asked.normalize is not False
        inputs, prediction = await _predicted(call, service, asked)
        vectors = service.task.vectors("dense", prediction.results, normalize)
        return answered(call, service, dimensions.beginnings(vectors, kept, normalize), inputs, prediction)

    return Operation(
        request=EmbedRequest,
        response=list[list[float]],
        handle=handle,
        supported=Ability.DENSE in service.task.abilities,
        facts={"dimensions": {"minimum": 1, "maximum": max(service.task.dims.get("dense", 1), 1)}},
    )


def embed_all(service: Service) -> Operation:
    """One vector per token as the graph gives it, special tokens included."""

    async def handle(call: Call, asked: EmbedAllRequest) -> Answer:
        service.check_ability(Ability.TOKENS)
        inputs, prediction = await _predicted(call, service, asked, Ability.TOKENS)
        return answered(call, service, service.task.token_vectors(prediction.results), inputs, prediction)

    return Operation(
        request=EmbedAllRequest,
        response=list[list[list[float]]],
        handle=handle,
        supported=Ability.TOKENS in service.task.abilities,
    )


def embed_sparse(service: Service) -> Operation:
    """The words of the vocabulary that a text has weight for."""

    async def handle(call: Call, asked: EmbedAllRequest) -> Answer:
        service.check_ability(Ability.SPARSE)
        inputs, prediction = await _predicted(call, service, asked, Ability.SPARSE)
        vectors = service.task.vectors("sparse", prediction.results, None)
        return answered(call, service, map(_weights, vectors), inputs, prediction)

    return Operation(
        request=EmbedAllRequest,
        response=list[list[SparseValue]],
        handle=handle,
        supported=Ability.SPARSE in service.task.abilities,
    )


async def _predicted(
    call: Call, service: Service, asked: EmbedAllRequest, *kinds: str
) -> tuple[list[Input], Prediction[Any]]:
    inputs = inputs_of(asked.inputs)
    request = PredictRequest(
        inputs, truncation=truncation(call, service), prompt=prompts.read(call.body), raw=True, kinds=kinds
    )
    return inputs, await call.answering.by(service.predict(request))


def _weights(vector: FloatArray) -> list[dict[str, Any]]:
    return list(_pairs(vector))


def _pairs(vector: FloatArray) -> Iterator[dict[str, Any]]:
    for index in np.flatnonzero(vector).tolist():
        yield {"index": index, "value": vector[index]}
