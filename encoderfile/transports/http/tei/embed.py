"""`/embed`, `/embed_all` and `/embed_sparse`: one vector per text, one per token, or weights of words."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np
from msgspec import Struct

from encoderfile.service import dimensions, prompts
from encoderfile.service.service import Service
from encoderfile.tasks.abilities import Ability
from encoderfile.transports.http import schemas
from encoderfile.transports.http.endpoint import Answer, Call
from encoderfile.transports.http.schemas import Count
from encoderfile.transports.http.tei.dialect import Inputs, Operation, Truncating, alike, answered, inputs_of, one_of
from encoderfile.types import FloatArray, PredictRequest


class EmbedAllRequest(Truncating, kw_only=True):
    """And the body of `/embed_sparse`."""

    inputs: Inputs
    prompt_name: str | None = None
    prompt: str | None = None
    input_type: str | None = None


class EmbedRequest(EmbedAllRequest, kw_only=True):
    normalize: bool | None = None
    dimensions: int | None = None


R = TypeVar("R", bound=EmbedAllRequest)


class SparseValue(Struct):
    index: Count
    value: float


def embed(service: Service) -> Operation:
    """One vector per text, of unit length unless the request says otherwise."""

    def vectors(asked: EmbedRequest, results: Sequence[Any]) -> Iterator[FloatArray]:
        normalize = asked.normalize is not False
        kept = dimensions.read(asked.dimensions, service)
        return dimensions.beginnings(service.task.vectors("dense", results, normalize), kept, normalize)

    made = _operation(service, Ability.DENSE, EmbedRequest, list[list[float]], vectors)
    sizes = {"minimum": 1, "maximum": max(service.task.dims.get("dense", 1), 1)}
    return dataclasses.replace(made, facts={"dimensions": sizes})


def embed_all(service: Service) -> Operation:
    """One vector per token as the graph gives it, special tokens included."""

    def vectors(_: EmbedAllRequest, results: Sequence[Any]) -> Iterator[FloatArray]:
        return service.task.token_vectors(results)

    return _operation(service, Ability.TOKENS, EmbedAllRequest, list[list[list[float]]], vectors)


def embed_sparse(service: Service) -> Operation:
    """The words of the vocabulary that a text has weight for."""

    def vectors(_: EmbedAllRequest, results: Sequence[Any]) -> Iterator[Any]:
        return map(_weights, service.task.vectors("sparse", results, None))

    return _operation(service, Ability.SPARSE, EmbedAllRequest, list[list[SparseValue]], vectors)


def _operation(
    service: Service,
    ability: Ability,
    request: type[R],
    response: Any,
    vectors: Callable[[R, Sequence[Any]], Iterator[Any]],
) -> Operation:
    """`vectors` makes what is sent of what the model gave, text by text."""

    async def several(call: Call, every: Sequence[R]) -> Answer:
        service.check_ability(ability)
        asked = alike(every)
        vectors(asked, ())  # raises what is wrong with the request before the model runs
        lists = [inputs_of(each.inputs) for each in every]
        inputs = list(itertools.chain(*lists))
        prediction = await call.answering.by(
            service.predict(
                PredictRequest(
                    inputs,
                    truncation=schemas.truncation(call.body, service),
                    prompt=prompts.read(call.body),
                    raw=True,
                    kinds=(ability,),
                )
            )
        )
        made = vectors(asked, prediction.results)
        return answered(call, service, (itertools.islice(made, len(each)) for each in lists), inputs, prediction)

    return Operation(
        request=request,
        response=response,
        handle=partial(one_of, several),
        several=several,
        supported=ability in service.task.abilities,
    )


def _weights(vector: FloatArray) -> list[dict[str, Any]]:
    return list(_pairs(vector))


def _pairs(vector: FloatArray) -> Iterator[dict[str, Any]]:
    for index in np.flatnonzero(vector).tolist():
        yield {"index": index, "value": vector[index]}
