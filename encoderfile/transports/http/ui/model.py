"""`GET /ui/model`: what the page shows of the model and of the ways in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct
from msgspec.json import encode
from starlette.requests import Request
from starlette.responses import Response

import encoderfile
from encoderfile.service.json_form import request_schema
from encoderfile.service.service import Service
from encoderfile.tasks import Task
from encoderfile.tasks.abilities import Ability
from encoderfile.transports.http.dialect import PLAIN, json_response
from encoderfile.transports.http.endpoint import Endpoint, get
from encoderfile.types import Example


class WaysIn(Struct, kw_only=True):
    """Where else this process answers; what the page puts into the requests that it offers to copy."""

    grpc_port: int | None = None
    """None: no gRPC, or not on a port."""
    tls: bool = False
    mcp: bool = True
    metrics: bool = True
    """Whether `/metrics` is on this port."""


class PageExample(Struct, kw_only=True, omit_defaults=True):
    """What a person may try, as the fields of the page take it."""

    texts: list[str | dict[str, str]]
    title: str = ""
    query: str = ""
    labels: tuple[str, ...] = ()


class PageModel(Struct, kw_only=True):
    """The model, in the words of the command line."""

    model_id: str
    version: str
    model_type: str
    summary: str
    labels: list[str] | None
    max_length: int
    truncation_side: str
    max_inputs: int
    abilities: list[str]
    dims: dict[str, int]
    takes_pairs: bool
    needs_pairs: bool
    groups_tokens: bool
    request: dict[str, Any]
    """JSON Schema of the body of `/predict`; the page makes its fields of it."""
    example: dict[str, Any]
    """A body of `/predict`."""
    examples: list[PageExample]
    license: str
    languages: list[str]
    grpc_service: str
    prompts: list[str]
    default_prompt: str | None
    device: str
    encoderfile: str
    ways_in: WaysIn


def endpoint(service: Service, ways_in: WaysIn) -> Endpoint:
    """The route; it needs the key, as all do that tell of the model."""

    async def model(_: Request) -> Response:
        return json_response(encode(_model(service, ways_in)))

    return get(PLAIN, "/ui/model", "What the page shows of the model", model, PageModel, name="ui_model")


def _model(service: Service, ways_in: WaysIn) -> PageModel:
    info, task = service.info, service.task
    return PageModel(
        model_id=info.model_id,
        version=info.version,
        model_type=info.model_type,
        summary=task.summary,
        labels=None if info.id2label is None else list(info.id2label.values()),
        max_length=info.max_length,
        truncation_side=info.truncation_side,
        max_inputs=service.max_inputs,
        abilities=sorted(ability.name.lower() for ability in task.abilities),
        dims=dict(task.dims),
        takes_pairs=task.takes_pairs,
        needs_pairs=task.needs_pairs,
        groups_tokens=task.groups_tokens,
        request=request_schema(task, info),
        example=dict(task.example),
        examples=[each for example in info.examples for each in _examples(example, task)],
        license=info.license,
        languages=list(info.languages),
        grpc_service=f"encoderfile.{task.service()}",
        prompts=list(info.prompts),
        default_prompt=info.default_prompt_name,
        device=service.device,
        encoderfile=encoderfile.__version__,
        ways_in=ways_in,
    )


def _examples(example: Example, task: Task[Any]) -> Iterator[PageExample]:
    """An example of the card as the page's forms take it: texts to compare are also a query and its documents."""
    title, labels = example.title, example.labels
    if example.second:
        if task.takes_pairs:
            yield PageExample(texts=[{"text": example.texts[0], "text_pair": example.second}], title=title)
    elif not example.query:
        yield PageExample(texts=list(example.texts), title=title, labels=labels)
    else:
        if Ability.SCORE in task.abilities:
            yield PageExample(texts=list(example.texts), title=title, query=example.query)
        yield PageExample(texts=[example.query, *example.texts], title=title, labels=labels)
