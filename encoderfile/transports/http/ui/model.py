"""`GET /ui/model`: what the page shows of the model and of the ways in."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.json import encode
from starlette.requests import Request
from starlette.responses import Response

import encoderfile
from encoderfile.service.json_form import request_schema
from encoderfile.service.service import Service
from encoderfile.transports.http.dialect import PLAIN, json_response
from encoderfile.transports.http.endpoint import Endpoint, get


class WaysIn(Struct, kw_only=True):
    """Where else this process answers; what the page puts into the requests that it offers to copy."""

    grpc_port: int | None = None
    """None: no gRPC, or not on a port."""
    tls: bool = False
    mcp: bool = True


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
        grpc_service=f"encoderfile.{task.service()}",
        prompts=list(info.prompts),
        default_prompt=info.default_prompt_name,
        device=service.device,
        encoderfile=encoderfile.__version__,
        ways_in=ways_in,
    )
