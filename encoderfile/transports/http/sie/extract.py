"""`POST /v1/extract/{model}`: entities from token labels, classifications from sequence labels."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from encoderfile.errors import InputError
from encoderfile.service import known_fields
from encoderfile.service.service import Service
from encoderfile.service.turns import in_turns
from encoderfile.tasks.entities import WordRules, entities
from encoderfile.transports.http.names import check_model
from encoderfile.transports.http.sie import wire
from encoderfile.transports.http.sie.items import Item, check_machine, read_items, read_options, typed
from encoderfile.transports.http.sie.timing import times
from encoderfile.types import STRATEGIES, ModelInfo, ModelType, PredictRequest, SequenceLabels, TokenLabels

OVERFLOW_POLICIES = {"default": None, "truncate_text": False, "error": True}
"""The policies, and whether each refuses a text that is too long; None: as the server was told."""

_MAX_LABELS = 1000


@dataclass(frozen=True, slots=True)
class _Asked:
    """`params`, read. `labels` in lower case; None lets every label through."""

    labels: frozenset[str] | None
    threshold: float
    refuse_overflow: bool | None
    strategy: str

    def wants(self, label: str, score: float) -> bool:
        return score >= self.threshold and (self.labels is None or label.lower() in self.labels)


def route(service: Service, max_body_bytes: int) -> Route:
    """The route."""

    async def extract(request: Request) -> Response:
        with service.metrics.request("extract") as measured:
            check_machine(request.headers, service.device)
            body = await wire.read(request, max_body_bytes)
            items, params = read_items(body), typed(body, "params", dict) or {}
            name = request.path_params["model"]
            check_model(name, service.info)
            asked = _read(params, service.info)
            prediction = await service.predict(
                PredictRequest([item.text for item in items], refuse_overflow=asked.refuse_overflow)
            )
            measured.timing = prediction.timing
            find = _finder(service, asked)
            found = await in_turns(
                {
                    "id": item.id or f"item-{index}",
                    "entities": [],
                    "relations": [],
                    "classifications": [],
                    "objects": [],
                    "data": {},
                    **find(result, item),
                }
                for index, (item, result) in enumerate(zip(items, prediction.results, strict=True))
            )
            took = times(measured, prediction.timing)
            return await wire.answer(
                request, {"model": name, "items": found}, took.headers(prediction.truncated_inputs)
            )

    return Route("/v1/extract/{model:path}", extract, methods=["POST"])


def _read(params: Mapping[str, Any], info: ModelInfo) -> _Asked:
    if info.id2label is None:
        raise InputError(f"Model '{info.model_id}' does not support extraction: it gives vectors, ask /v1/encode")
    options = read_options(params, info)
    if params.get("output_schema"):
        raise InputError(f"Model '{info.model_id}' does not support output_schema: it gives its own labels")
    policy = options.get("overflow_policy", "default")
    if not isinstance(policy, str) or policy not in OVERFLOW_POLICIES:
        raise InputError(f"Invalid overflow_policy: {policy!r}. Must be one of {sorted(OVERFLOW_POLICIES)}.")
    strategy = options.get("aggregation_strategy", "simple")
    if strategy not in STRATEGIES:
        raise InputError(f"Invalid aggregation_strategy: {strategy!r}. Must be one of {list(STRATEGIES)}.")
    known_fields.check(params, ("labels", "threshold"))
    of_tokens = ("aggregation_strategy",) if info.model_type is ModelType.TOKEN_CLASSIFICATION else ()
    known_fields.check(options, ("overflow_policy", "threshold", *of_tokens), "options.")
    labels = _labels(typed(params, "labels", list))
    return _Asked(labels, _threshold(params, options), OVERFLOW_POLICIES[policy], strategy)


def _labels(labels: Sequence[Any] | None) -> frozenset[str] | None:
    if not labels:
        return None
    if len(labels) > _MAX_LABELS or not all(isinstance(label, str) for label in labels):
        raise InputError(f"labels should be a list of texts, at most {_MAX_LABELS}")
    return frozenset(label.lower() for label in labels)


def _threshold(params: Mapping[str, Any], options: Mapping[str, Any]) -> float:
    # The TypeScript client puts it beside the options.
    value = options.get("threshold", params.get("threshold"))
    if value is None:
        return -math.inf  # the values of a regression may be negative
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError("threshold should be a number")
    return float(value)


def _finder(service: Service, asked: _Asked) -> Callable[[Any, Item], dict[str, Any]]:
    """What turns one result into the fields of its answer."""
    if service.info.model_type is ModelType.TOKEN_CLASSIFICATION:
        rules = service.word_rules
        return lambda result, item: {"entities": _entities(result, item.text, asked, rules)}
    labels = service.info.id2label or {}
    return lambda result, _: {"classifications": _classifications(result, labels, asked)}


def _entities(result: TokenLabels, text: str, asked: _Asked, rules: WordRules) -> list[dict[str, Any]]:
    return [
        {
            "text": text[entity.start : entity.end],
            "label": entity.entity_group,
            "score": entity.score,
            "start": entity.start,
            "end": entity.end,
            "bbox": None,
        }
        for entity in entities(result, text, asked.strategy, rules)
        if asked.wants(entity.entity_group, entity.score)
    ]


def _classifications(result: SequenceLabels, labels: Mapping[int, str], asked: _Asked) -> list[dict[str, Any]]:
    scores = result.scores.tolist()
    best_first = sorted(range(len(scores)), key=lambda index: -scores[index])
    return [
        {"label": labels[index], "score": scores[index]}
        for index in best_first
        if asked.wants(labels[index], scores[index])
    ]
