"""MCP's tools for models that find labels: `extract_entities` and `classify`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from msgspec import Meta, Struct

from encoderfile.errors import InputError
from encoderfile.service.limits import MAX_WHOLE
from encoderfile.service.metrics import Answering
from encoderfile.service.naming import naming
from encoderfile.service.requests import json_schema, read
from encoderfile.service.service import Service
from encoderfile.tasks import abilities, results
from encoderfile.tasks.abilities import Ability
from encoderfile.tasks.entities import types_of
from encoderfile.transports.mcp_tool import MAX_VALUES, Arguments, Tool, arguments_schema, limit, rounded
from encoderfile.types import PredictRequest

_Texts = Annotated[
    list[Annotated[str, Meta(extra_json_schema={"minLength": 1})]],
    Meta(min_length=1, description="The texts to read."),
]
_Labels = Annotated[list[str], Meta(min_length=1)]

TOP_K = 5
"""Labels of a text where a call does not say how many."""


class EntitiesRequest(Struct, forbid_unknown_fields=True):
    texts: _Texts
    labels: Annotated[
        _Labels | None, Meta(description="Only entities with one of these labels are returned. Left out: all.")
    ] = None


class NamedEntitiesRequest(Struct, forbid_unknown_fields=True):
    texts: _Texts
    labels: Annotated[_Labels, Meta(description="What to look for, in your own words, such as person or city.")]
    threshold: Annotated[
        float | None, Meta(description="Entities with a lower score are left out. Left out: 0.5.")
    ] = None


class Entity(Struct):
    text: str
    label: str
    score: float
    start: Annotated[int, Meta(ge=0, description="First code point in the text.")]
    end: Annotated[int, Meta(ge=0, description="One past the last code point.")]


class Entities(Struct):
    entities: Annotated[list[Entity], Meta(description="In the order of the text.")]


class EntitiesResponse(Struct):
    results: Annotated[list[Entities], Meta(description="One for each text.")]


class ClassifyRequest(Struct, forbid_unknown_fields=True):
    texts: _Texts
    top_k: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description=f"How many labels are returned for each text. Left out: {TOP_K}."),
    ] = None


class NamedClassifyRequest(ClassifyRequest, forbid_unknown_fields=True, kw_only=True):
    labels: Annotated[_Labels, Meta(description="The labels to choose from, in your own words.")]
    multi_label: Annotated[
        bool | None,
        Meta(description="Whether several labels may hold: each score is then between 0 and 1 on its own."),
    ] = None


class Label(Struct):
    label: str
    score: float


class Classified(Struct):
    labels: Annotated[list[Label], Meta(description="The best first.")]


class ClassifyResponse(Struct):
    results: Annotated[list[Classified], Meta(description="One for each text.")]


def tools(service: Service) -> Iterator[Tool]:
    """The one that this model has; none for a model that finds no labels, or has one alone, which is a score."""
    task = service.task
    if Ability.EXTRACT not in task.abilities or Ability.SCORE in task.abilities:
        return
    gives = {field.name for field in results.fields(task.result)}
    if not any(option.name == "labels" for option in task.options):
        yield _entities(service) if task.groups_tokens else _classify(service)
    elif gives == set(Entity.__struct_fields__):
        yield _named_entities(service)
    elif gives == set(Label.__struct_fields__):
        yield _named_classify(service)


def _entities(service: Service) -> Tool:
    types = types_of(service.task.labels)

    async def call(arguments: Arguments, answering: Answering) -> Mapping[str, Any]:
        asked = read(arguments, EntitiesRequest)
        wanted = _wanted(asked.labels, types)
        stride = service.window_overlap
        with naming(texts=len(asked.texts)):
            for index, text in enumerate(asked.texts):
                if stride is not None and len(text) > MAX_WHOLE:
                    raise InputError(f"has {len(text)} characters, at most {MAX_WHOLE} are read: split it", index)
            found = await answering.by(service.extract(asked.texts, stride=stride))
        pairs = zip(found.results, asked.texts, strict=True)
        return {"results": ({"entities": _shown(each.entities, text, wanted)} for each, text in pairs)}

    return Tool(
        "extract_entities",
        "Extract entities",
        f"Finds the entities of texts, each as a whole with its place, by the model {service.info.model_id}. "
        f"Its labels: {_some(types)}. "
        f"{'Long texts are read in full.' if service.window_overlap is not None else _limit(service)} "
        'Example arguments: {"texts":["John lives in Paris"]}',
        arguments_schema(EntitiesRequest),
        json_schema(EntitiesResponse),
        call,
    )


def _wanted(labels: Sequence[str] | None, types: Sequence[str]) -> frozenset[str]:
    """What is looked for, in lower case. Raises `InputError` for a label that the model does not have."""
    known = {each.lower() for each in types}
    for index, label in enumerate(labels or ()):
        if label.lower() not in known:
            raise InputError(f"labels[{index}] is none of this model's: {_some(types)}")
    return frozenset(known if labels is None else map(str.lower, labels))


def _shown(entities: Sequence[abilities.Entity], text: str, wanted: frozenset[str]) -> list[dict[str, Any]]:
    return [
        {"text": text[start:end], "label": label, "score": rounded(score), "start": start, "end": end}
        for label, score, _, start, end in entities
        if label.lower() in wanted
    ]


def _named_entities(service: Service) -> Tool:
    async def call(arguments: Arguments, answering: Answering) -> Mapping[str, Any]:
        asked = read(arguments, NamedEntitiesRequest)
        found = await _predicted(service, answering, asked.texts, labels=asked.labels, threshold=asked.threshold)
        return {"results": ({"entities": rows} for rows in found)}

    return Tool(
        "extract_entities",
        "Extract entities",
        f"Finds what you name in texts, each with its place, by the model {service.info.model_id}. {_limit(service)} "
        'Example arguments: {"texts":["Ada Lovelace was born in London."],"labels":["person","city"]}',
        arguments_schema(NamedEntitiesRequest),
        json_schema(EntitiesResponse),
        call,
    )


def _classify(service: Service) -> Tool:
    labels = service.task.labels

    async def call(arguments: Arguments, answering: Answering) -> Mapping[str, Any]:
        asked = read(arguments, ClassifyRequest)
        with naming(texts=len(asked.texts)):
            found = await answering.by(service.extract(asked.texts))
        best = (each.classifications[: asked.top_k or TOP_K] for each in found.results)
        return {"results": ({"labels": [_label(*label) for label in labels]} for labels in best)}

    return Tool(
        "classify",
        "Classify texts",
        f"Says which labels hold for texts, the best first with their scores, by the model {service.info.model_id}. "
        f"Its labels: {_some(labels)}. {_limit(service)} "
        'Example arguments: {"texts":["This product is amazing!"],"top_k":1}',
        arguments_schema(ClassifyRequest),
        json_schema(ClassifyResponse),
        call,
    )


def _named_classify(service: Service) -> Tool:
    async def call(arguments: Arguments, answering: Answering) -> Mapping[str, Any]:
        asked = read(arguments, NamedClassifyRequest)
        options = {"labels": asked.labels, "multi_label": asked.multi_label}
        found = await _predicted(service, answering, asked.texts, **options)
        return {"results": ({"labels": rows[: asked.top_k or TOP_K]} for rows in found)}

    return Tool(
        "classify",
        "Classify texts",
        f"Says which of your labels hold for texts, the best first with their scores, by the model "
        f"{service.info.model_id}. {_limit(service)} "
        'Example arguments: {"texts":["The parcel came two days late."],"labels":["praise","complaint"]}',
        arguments_schema(NamedClassifyRequest),
        json_schema(ClassifyResponse),
        call,
    )


async def _predicted(
    service: Service, answering: Answering, texts: list[str], **options: Any
) -> Iterator[list[dict[str, Any]]]:
    """The rows of each result, with the options that are given."""
    asked = {name: value for name, value in options.items() if value is not None}
    with naming(texts=len(texts)):
        found = await answering.by(service.predict(PredictRequest(texts, asked, max_values=MAX_VALUES)))
    whole = (rows for result in found.results for rows in results.to_json(result).values())
    return ([{**row, "score": rounded(row["score"])} for row in rows] for rows in whole)


def _label(label: str, score: float) -> dict[str, Any]:
    return {"label": label, "score": rounded(score)}


def _some(labels: Sequence[str]) -> str:
    return ", ".join(labels[:30]) + (", ..." if len(labels) > 30 else "")


def _limit(service: Service) -> str:
    return limit(service.info, service.refuses_overflow)
