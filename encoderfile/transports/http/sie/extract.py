"""`POST /v1/extract/{model}`: entities from token labels, classifications from sequence labels."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from encoderfile.service import known_fields
from encoderfile.service.cooperative import cooperatively
from encoderfile.service.service import Service
from encoderfile.tasks.abilities import Ability, Extracted
from encoderfile.transports.http.endpoint import Answer, Call, Endpoint, post
from encoderfile.transports.http.schemas import Count
from encoderfile.transports.http.sie.dialect import DIALECT, times
from encoderfile.transports.http.sie.requests import Items, Options, check_options, model_of, texts

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
        # The TypeScript client puts it next to the options.
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
        service.check_ability(Ability.EXTRACT)
        check_options(options, service.info)
        if not service.task.groups_tokens:
            known_fields.check({"aggregation_strategy": options.aggregation_strategy}, (), "options.")
        wanted, items = _Wanted(params, options), texts(asked.items)
        extraction = await call.answering.by(
            service.extract(
                items, options.aggregation_strategy or "simple", refuse_overflow=_REFUSES[options.overflow_policy]
            )
        )
        found = await cooperatively(
            {
                "id": item.id or f"item-{index}",
                "entities": _entities(each, item.text, wanted),
                "relations": [],
                "classifications": _classifications(each, wanted),
                "objects": [],
                "data": {},
            }
            for index, (item, each) in enumerate(zip(asked.items, extraction.results, strict=True))
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
        supported=Ability.EXTRACT in service.task.abilities,
    )


def _entities(found: Extracted, text: str, wanted: _Wanted) -> list[dict[str, Any]]:
    return [
        {
            "text": text[entity.start : entity.end],
            "label": entity.entity_group,
            "score": entity.score,
            "start": entity.start,
            "end": entity.end,
            "bbox": None,
        }
        for entity in found.entities
        if wanted(entity.entity_group, entity.score)
    ]


def _classifications(found: Extracted, wanted: _Wanted) -> list[dict[str, Any]]:
    return [each._asdict() for each in found.classifications if wanted(each.label, each.score)]
