"""`POST /v1/extract/{model}`: entities from token labels, classifications from sequence labels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from encoderfile.errors import InputError
from encoderfile.service import known_fields
from encoderfile.service.service import Service
from encoderfile.service.turns import in_turns
from encoderfile.tasks.abilities import Ability, Extracted
from encoderfile.transports.http.names import check_model
from encoderfile.transports.http.sie import wire
from encoderfile.transports.http.sie.items import check_machine, read_items, read_options, typed
from encoderfile.transports.http.sie.timing import times
from encoderfile.types import STRATEGIES

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
            asked = _read(params, service)
            texts = [item.text for item in items]
            extraction = await service.extract(texts, asked.strategy, refuse_overflow=asked.refuse_overflow)
            measured.timing = extraction.timing
            found = await in_turns(
                {
                    "id": item.id or f"item-{index}",
                    "entities": _entities(each, item.text, asked),
                    "relations": [],
                    "classifications": _classifications(each, asked),
                    "objects": [],
                    "data": {},
                }
                for index, (item, each) in enumerate(zip(items, extraction.found, strict=True))
            )
            took = times(measured, extraction.timing)
            return await wire.answer(
                request, {"model": name, "items": found}, took.headers(extraction.truncated_inputs)
            )

    return Route("/v1/extract/{model:path}", extract, methods=["POST"])


def _read(params: Mapping[str, Any], service: Service) -> _Asked:
    info = service.info
    service.check_ability(Ability.EXTRACT)
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
    of_tokens = ("aggregation_strategy",) if service.task.groups_tokens else ()
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


def _entities(found: Extracted, text: str, asked: _Asked) -> list[dict[str, Any]]:
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
        if asked.wants(entity.entity_group, entity.score)
    ]


def _classifications(found: Extracted, asked: _Asked) -> list[dict[str, Any]]:
    return [each._asdict() for each in found.classifications if asked.wants(each.label, each.score)]
