"""Bodies of the Inference API at the model's own route, for what TEI does not do: entities, and labels of a request.

Fields and answers: `huggingface_hub/inference/_generated/types`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from encoderfile.errors import ConfigError
from encoderfile.service.known_fields import FieldError
from encoderfile.service.limits import check_whole
from encoderfile.service.service import Service
from encoderfile.tasks.abilities import Ability, Extracted
from encoderfile.tasks.results import to_json
from encoderfile.transports.http.endpoint import Answer, Call
from encoderfile.transports.http.schemas import Count, ScoredLabel
from encoderfile.transports.http.tei.dialect import Operation, alike, answered, one_of
from encoderfile.types import PredictRequest


class EntityParameters(Struct, kw_only=True):
    aggregation_strategy: Literal["none", "simple", "first", "average", "max"] | None = None
    ignore_labels: list[str] | None = None
    stride: Count | None = None


class EntitiesRequest(Struct, kw_only=True):
    inputs: str | list[str]
    parameters: EntityParameters | None = None


class EntityGroup(Struct):
    entity_group: str
    score: float
    word: str
    start: Count
    end: Count


class LabelParameters(Struct, kw_only=True):
    candidate_labels: list[str]
    multi_label: bool | None = None
    hypothesis_template: str | None = None


class ZeroShotRequest(Struct, kw_only=True):
    inputs: Annotated[str | list[str], Meta(description="A text, or several.")]
    parameters: LabelParameters


def entities(service: Service) -> Operation:
    """As transformers' token classification pipeline."""

    async def several(call: Call, every: Sequence[EntitiesRequest]) -> Answer:
        parameters = alike(every).parameters or EntityParameters()
        texts = [text for each in every for text in _texts(each.inputs)]
        ignored = frozenset(["O"] if parameters.ignore_labels is None else parameters.ignore_labels)
        if "O" not in ignored:
            raise FieldError(
                "parameters.ignore_labels without O is not supported here: entities have a type", "parameters"
            )
        strategy = parameters.aggregation_strategy or "simple"
        if parameters.stride is not None:
            check_whole(texts)
        try:
            found = await call.answering.by(service.extract(texts, strategy, parameters.stride))
        except ConfigError as error:
            raise FieldError(f"parameters.stride: {error}", "parameters") from error
        lists = (_entities(each, ignored, strategy) for each in found.results)
        return answered(call, service, _by_request(every, lists), texts, found)

    return Operation(
        request=EntitiesRequest,
        response=list[EntityGroup | list[EntityGroup]],
        handle=partial(one_of, several),
        several=several,
        supported=service.task.groups_tokens,
    )


def labels(service: Service) -> Operation:
    """As transformers' zero-shot classification pipeline."""

    async def several(call: Call, every: Sequence[ZeroShotRequest]) -> Answer:
        parameters = alike(every).parameters
        texts = [text for each in every for text in _texts(each.inputs)]
        options = {
            "labels": parameters.candidate_labels,
            "multi_label": parameters.multi_label,
            "hypothesis_template": parameters.hypothesis_template,
        }
        options = {name: value for name, value in options.items() if value is not None}
        found = await call.answering.by(service.predict(PredictRequest(texts, options)))
        lists = (to_json(each)["classifications"] for each in found.results)
        return answered(call, service, _by_request(every, lists), texts, found)

    return Operation(
        request=ZeroShotRequest,
        response=list[ScoredLabel | list[ScoredLabel]],
        handle=partial(one_of, several),
        several=several,
        supported=takes_labels(service),
    )


def takes_labels(service: Service) -> bool:
    """Whether the model scores labels that a request names."""
    options = {each.name for each in type(service.task).options}
    return {"labels", "hypothesis_template"} <= options and Ability.EXTRACT in service.task.abilities


def _by_request(every: Sequence[EntitiesRequest | ZeroShotRequest], lists: Iterator[Any]) -> Iterator[Any]:
    """For each request what was found in its one text, or a list for several."""
    for each in every:
        yield next(lists) if isinstance(each.inputs, str) else itertools.islice(lists, len(each.inputs))


def _texts(inputs: str | list[str]) -> list[str]:
    return [inputs] if isinstance(inputs, str) else inputs


def _entities(found: Extracted, ignored: frozenset[str], strategy: str) -> Sequence[dict[str, Any]]:
    name = "entity" if strategy == "none" else "entity_group"
    return [
        {
            name: each.entity_group,
            "score": each.score,
            "word": each.word,
            "start": each.start,
            "end": each.end,
        }
        for each in found.entities
        if each.entity_group not in ignored
    ]
