"""`POST /v1/extract/{model}`: entities and classifications, of the model's labels or of those of the request."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from encoderfile.errors import InputError, TooLongError
from encoderfile.service import known_fields
from encoderfile.service.cooperative import cooperatively
from encoderfile.service.service import Service
from encoderfile.tasks import Task
from encoderfile.tasks.abilities import Ability, Extracted
from encoderfile.transports.http.endpoint import Answer, Call, Endpoint, post
from encoderfile.transports.http.schemas import Count
from encoderfile.transports.http.sie.dialect import DIALECT, ContextError, times
from encoderfile.transports.http.sie.requests import Items, Options, check_options, model_of, texts
from encoderfile.types import Truncation

_REFUSES = {None: None, "default": None, "truncate_text": False, "error": True}
"""The policies, and whether each refuses a text that is too long; None: as the server was told."""


class ExtractOptions(Options):
    overflow_policy: Literal["default", "truncate_text", "error"] | None = None
    aggregation_strategy: Literal["none", "simple", "first", "average", "max"] | None = None
    threshold: float | None = None
    flat_ner: bool | None = None
    multi_label: bool | None = None
    hypothesis_template: str | None = None
    classification_type: (
        Literal["single-label", "single_label", "single", "multi-label", "multi_label", "multi"] | None
    ) = None


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

    def __init__(self, labels: Sequence[str] = (), threshold: float | None = None) -> None:
        self._labels = frozenset(label.lower() for label in labels)
        self._threshold = -math.inf if threshold is None else threshold  # the values of a regression may be negative

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
        of_task, wanted = _asked(params, options, service.task)
        refuses = _REFUSES[options.overflow_policy]
        if refuses is None and service.task.extract_refuses_overflow:
            refuses = True
        strategy = options.aggregation_strategy or "simple"
        try:
            extraction = await call.answering.by(
                service.extract(texts(asked.items), strategy, truncation=Truncation(refuses), options=of_task)
            )
        except TooLongError as error:
            if error.observed is None:
                raise
            raise ContextError(error, name, service.info.max_length) from error
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
        example=_example(service.task),
    )


def _example(task: Task[Any]) -> dict[str, Any]:
    """A body, with labels where the model finds those of a request."""
    items = [{"text": text} for text in task.example["inputs"]]
    labels = task.example.get("labels")
    return {"items": items, "params": {"labels": list(labels)}} if labels else {"items": items}


def _asked(params: ExtractParams, options: ExtractOptions, task: Task[Any]) -> tuple[dict[str, Any], _Wanted]:
    """The options of the model type, and what is left out of its answer.

    Raises `InputError` for an option that the model type does not have, and where it needs labels and gets none.
    """
    taken = {each.name for each in task.options}
    given = {each: getattr(options, each) for each in ("flat_ner", "multi_label", "hypothesis_template")}
    strategy = {"aggregation_strategy": options.aggregation_strategy}
    kind = {"classification_type": options.classification_type}
    known_fields.check({**strategy, **given, **kind}, _supported(task, taken), "options.")
    # The TypeScript client puts it next to the options.
    threshold = params.threshold if options.threshold is None else options.threshold
    if "labels" not in taken:
        return {}, _Wanted(params.labels or (), threshold)
    if not params.labels:
        raise InputError("params.labels is missing: this model finds the labels that a request names")
    if options.classification_type is not None and options.multi_label is None:
        given["multi_label"] = options.classification_type.startswith("multi")
    given |= {"labels": params.labels, "threshold": threshold, "overflow_policy": options.overflow_policy}
    return {name: value for name, value in given.items() if value is not None}, _Wanted()


def _supported(task: Task[Any], taken: Collection[str]) -> set[str]:
    """The options that a task has, and those of SIE that say the same or ask how its tokens are grouped."""
    supported = set(taken)
    if task.groups_tokens:
        supported.add("aggregation_strategy")
    if "hypothesis_template" in {each.name for each in type(task).options}:  # a classifier, of whatever kind
        supported.add("classification_type")
    return supported


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
