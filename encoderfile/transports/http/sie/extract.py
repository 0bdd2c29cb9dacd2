"""`POST /v1/extract/{model}`: entities from token labels, classifications from sequence labels."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from encoderfile.errors import InputError
from encoderfile.service import known_fields
from encoderfile.service.service import Service
from encoderfile.service.turns import in_turns
from encoderfile.tasks.entities import WordRules, entities
from encoderfile.transports.http.endpoint import Answer, Call, Endpoint, post
from encoderfile.transports.http.schemas import Count
from encoderfile.transports.http.sie.dialect import DIALECT
from encoderfile.transports.http.sie.requests import Items, Options, check_options, model_of, texts
from encoderfile.transports.http.sie.timing import times
from encoderfile.types import ModelType, PredictRequest, SequenceLabels, TokenLabels

_REFUSES = {None: None, "default": None, "truncate_text": False, "error": True}
"""The policies, and whether each refuses a text that is too long; None: as the server was told."""


class ExtractOptions(Options):
    overflow_policy: Literal["default", "truncate_text", "error"] | None = None
    aggregation_strategy: Literal["none", "simple", "first", "average", "max"] | None = None
    threshold: float | None = None


class ExtractParams(Struct, kw_only=True):
    labels: Annotated[list[str], Meta(max_length=1000)] | None = None
    threshold: float | None = None
    options: ExtractOptions | None = None


class ExtractRequest(Struct, kw_only=True):
    items: Items
    params: ExtractParams | None = None


class Classification(Struct):
    label: str
    score: float


class Entity(Struct):
    text: str
    label: str
    score: float
    start: Count
    end: Count
    bbox: list[Count] | None


_Nothing = Annotated[list[dict[str, Any]], Meta(max_length=0)]


class ExtractedItem(Struct):
    id: str
    entities: list[Entity]
    relations: _Nothing
    classifications: list[Classification]
    objects: _Nothing
    data: dict[str, Any]


class ExtractResponse(Struct):
    model: str
    items: list[ExtractedItem]


class _Wanted:
    """Which labels and scores an answer may hold; labels in lower case, where none is named all of them."""

    def __init__(self, params: ExtractParams, options: ExtractOptions) -> None:
        self._labels = frozenset(label.lower() for label in params.labels or ())
        # The TypeScript client puts it beside the options.
        given = params.threshold if options.threshold is None else options.threshold
        self._threshold = -math.inf if given is None else given  # the values of a regression may be negative

    def __call__(self, label: str, score: float) -> bool:
        return score >= self._threshold and (not self._labels or label.lower() in self._labels)


def endpoint(service: Service) -> Endpoint:
    """The route."""

    async def extract(call: Call, asked: ExtractRequest) -> Answer:
        name = model_of(call, service)
        params = asked.params or ExtractParams()
        options = params.options or ExtractOptions()
        _check(call.body.get("params") or {}, options, service)
        prediction = await call.answering.by(
            service.predict(PredictRequest(texts(asked.items), refuse_overflow=_REFUSES[options.overflow_policy]))
        )
        find = _finder(service, options.aggregation_strategy or "simple", _Wanted(params, options))
        found = await in_turns(
            {
                "id": item.id or f"item-{index}",
                "entities": [],
                "relations": [],
                "classifications": [],
                "objects": [],
                "data": {},
                **find(result, item.text),
            }
            for index, (item, result) in enumerate(zip(asked.items, prediction.results, strict=True))
        )
        return Answer({"model": name, "items": found}, times(call.answering).headers())

    return post(
        service,
        DIALECT,
        "/v1/extract/{model}",
        extract,
        name="extract",
        summary="Entities or classifications, as SIE",
        request=ExtractRequest,
        response=ExtractResponse,
        supported=service.info.id2label is not None,
    )


def _check(given: Mapping[str, Any], options: ExtractOptions, service: Service) -> None:
    info = service.info
    if info.id2label is None:
        raise InputError(f"Model '{info.model_id}' does not support extraction: it gives vectors, ask /v1/encode")
    known_fields.check(given, ExtractParams.__struct_fields__)
    check_options(given.get("options"), options, info)
    if info.model_type is not ModelType.TOKEN_CLASSIFICATION:
        known_fields.check({"aggregation_strategy": options.aggregation_strategy}, (), "options.")


def _finder(service: Service, strategy: str, wants: _Wanted) -> Callable[[Any, str], dict[str, Any]]:
    """What turns one result into the fields of its answer."""
    if service.info.model_type is ModelType.TOKEN_CLASSIFICATION:
        rules = service.word_rules
        return lambda result, text: {"entities": _entities(result, text, strategy, wants, rules)}
    labels = service.info.id2label or {}
    return lambda result, _: {"classifications": _classifications(result, labels, wants)}


def _entities(
    result: TokenLabels, text: str, strategy: str, wants: _Wanted, rules: WordRules
) -> list[dict[str, Any]]:
    return [
        {
            "text": text[entity.start : entity.end],
            "label": entity.entity_group,
            "score": entity.score,
            "start": entity.start,
            "end": entity.end,
            "bbox": None,
        }
        for entity in entities(result, text, strategy, rules)
        if wants(entity.entity_group, entity.score)
    ]


def _classifications(result: SequenceLabels, labels: Mapping[int, str], wants: _Wanted) -> list[dict[str, Any]]:
    scores = result.scores.tolist()
    best_first = sorted(range(len(scores)), key=lambda index: -scores[index])
    return [
        {"label": labels[index], "score": scores[index]}
        for index in best_first
        if wants(labels[index], scores[index])
    ]
