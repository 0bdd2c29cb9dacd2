"""The model's main route under its other names: POST `/`, `/invocations` (SageMaker) and `/vertex` (Vertex AI)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from encoderfile.errors import EmptyRequestError
from encoderfile.service import requests
from encoderfile.service.large_answers import sending
from encoderfile.service.service import Service
from encoderfile.tasks import Task
from encoderfile.tasks.abilities import Ability
from encoderfile.transports.http.endpoint import Answer, Call, Endpoint, post
from encoderfile.transports.http.tei import embed, hub, predict, rerank, similarity
from encoderfile.transports.http.tei.dialect import DIALECT, Operation

PATHS = ("/", "/invocations")


class VertexRequest(Struct, kw_only=True):
    instances: list[dict[str, Any]]


class VertexResponse(Struct):
    predictions: list[Any]


def endpoints(service: Service) -> list[Endpoint]:
    """The three routes."""
    main = operation(service)
    example = _example(main.request, service.task)
    compared = similarity.similarity(service).form(_compares)

    async def vertex(call: Call, asked: VertexRequest) -> Answer:
        if not asked.instances:
            raise EmptyRequestError("instances is empty: send at least one")
        service.limits.check_count(sum(map(_size, asked.instances)))
        read = requests.reader(main.request)
        every = [read(each) for each in asked.instances]
        calls = [Call(call.request, body, call.answering) for body in asked.instances]
        if main.several is not None:
            found = await main.several(calls[0], every)
            return Answer({"predictions": found.content}, found.headers)
        answers = []  # of rerankers: a score for each text
        for each, instance in zip(calls, every, strict=True):
            with sending():  # what the model gave counts until it is made into scores
                answers.append((await main.handle(each, instance)).content)
        return Answer({"predictions": iter(answers)})

    return [
        *(
            post(
                service,
                DIALECT,
                path,
                main.handle,
                name=path.strip("/") or "main",
                summary="What this model does, as TEI answers it",
                forms=(compared,),
                example=example,
                **main.described,
            )
            for path in PATHS
        ),
        post(
            service,
            DIALECT,
            "/vertex",
            vertex,
            name="vertex",
            summary="The same, several at a time",
            request=VertexRequest,
            response=VertexResponse,
            supported=main.supported,
            example={"instances": [example]},
        ),
    ]


def operation(service: Service) -> Operation:
    """What TEI's clients ask this model for."""
    task = service.task
    if Ability.DENSE in task.abilities:
        return embed.embed(service)
    if Ability.SPARSE in task.abilities:
        return embed.embed_sparse(service)
    if Ability.SCORE in task.abilities:
        return rerank.rerank(service)
    if task.groups_tokens:
        return hub.entities(service)
    if hub.takes_labels(service):
        return hub.labels(service)
    return predict.predict(service)


def _example(request: type[Struct], task: Task[Any]) -> dict[str, Any]:
    """A body of the main route."""
    if "query" in request.__struct_fields__:
        return {"query": "How do I reset my password?", "texts": ["Password recovery steps", "The cat sat down."]}
    body = {"inputs": task.example["inputs"][0]}
    if request is hub.ZeroShotRequest:
        return {**body, "parameters": {"candidate_labels": list(task.example["labels"])}}
    return body


def _size(instance: Mapping[str, Any]) -> int:
    """How many inputs an instance has, at most."""
    counts = [len(each) for name in ("inputs", "texts") if isinstance(each := instance.get(name), list)]
    return max([1, *counts])


def _compares(body: Any) -> bool:
    inputs = body.get("inputs") if isinstance(body, Mapping) else None
    return isinstance(inputs, Mapping) and ("source_sentence" in inputs or "sentences" in inputs)
