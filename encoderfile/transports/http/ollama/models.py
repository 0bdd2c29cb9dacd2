"""`GET /api/tags`, `/api/ps`, `/api/version`, `POST /api/show`: the one model and this server in Ollama's words."""

from __future__ import annotations

import functools
import hashlib
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

import encoderfile
from encoderfile.service.known_fields import FieldError
from encoderfile.service.service import Service
from encoderfile.tasks.abilities import Ability
from encoderfile.transports.http.dialect import json_response
from encoderfile.transports.http.endpoint import Answer, Call, Endpoint, get, post
from encoderfile.transports.http.ollama.dialect import DIALECT, check_name, tagged
from encoderfile.transports.http.schemas import Count

_NEVER = datetime.max.replace(microsecond=0, tzinfo=UTC)
"""When the model is unloaded."""

_DTYPES = {"float32": "F32", "float16": "F16", "bfloat16": "BF16", "int8": "I8", "uint8": "U8"}
"""Ollama's words."""


class OllamaDetails(Struct, kw_only=True):
    parent_model: str = ""
    format: str = "onnx"
    family: str
    families: list[str]
    parameter_size: str = ""
    quantization_level: str


class OllamaListedModel(Struct, kw_only=True):
    """`modified_at` is when this server started; the digest is that of the model's manifest."""

    name: str
    model: str
    modified_at: datetime
    size: Count
    digest: str
    details: OllamaDetails


class OllamaModels(Struct):
    models: list[OllamaListedModel]


class OllamaRunningModel(Struct, kw_only=True):
    name: str
    model: str
    size: Count
    digest: str
    details: OllamaDetails
    expires_at: datetime
    size_vram: Count
    context_length: Count


class OllamaRunningModels(Struct):
    models: list[OllamaRunningModel]


class OllamaShowRequest(Struct, kw_only=True):
    model: str | None = None
    name: Annotated[str | None, Meta(description="The older name of `model`.")] = None
    verbose: Annotated[bool | None, Meta(description="Ignored: the answer is short.")] = None


class OllamaShown(Struct, kw_only=True):
    license: str = ""
    modelfile: str = ""
    parameters: str = ""
    template: str = ""
    details: OllamaDetails
    model_info: dict[str, Any]
    capabilities: list[str]
    modified_at: datetime


class OllamaVersion(Struct):
    version: str


def endpoints(service: Service) -> list[Endpoint]:
    """The four routes."""
    described = functools.cache(lambda: _Described(service))

    async def tags(_: Request) -> Response:
        return json_response(msgspec.json.encode(OllamaModels(described().listed())))

    async def running(_: Request) -> Response:
        return json_response(msgspec.json.encode(OllamaRunningModels([described().running()])))

    async def version(_: Request) -> Response:
        return json_response(msgspec.json.encode(OllamaVersion(encoderfile.__version__)))

    async def show(_: Call, asked: OllamaShowRequest) -> Answer:
        wanted = asked.model or asked.name
        if wanted is None:
            raise FieldError("the field model is missing", "model")
        check_name(wanted, service.info)
        return Answer(msgspec.to_builtins(described().shown()))

    return [
        get(DIALECT, "/api/tags", "The one model under its names", tags, OllamaModels, name="api_tags"),
        get(DIALECT, "/api/ps", "The model that is loaded", running, OllamaRunningModels, name="api_ps"),
        get(DIALECT, "/api/version", "The version of this server", version, OllamaVersion, name="api_version"),
        post(
            service,
            DIALECT,
            "/api/show",
            show,
            name="api_show",
            summary="What the model is",
            request=OllamaShowRequest,
            response=OllamaShown,
            example={"model": service.info.model_id},
        ),
    ]


class _Described:
    """The model in each of the answers; made when the first is asked for."""

    def __init__(self, service: Service) -> None:
        info = service.info
        self._service = service
        self._names = [tagged(name) for name in (info.model_id, *info.served_names)]
        self._size = service.metrics.model_bytes
        self._started = datetime.fromtimestamp(int(service.metrics.started), UTC)
        self._digest = hashlib.sha256(service.task.manifest.to_bytes()).hexdigest()
        self._details = OllamaDetails(
            family=info.model_type,
            families=[info.model_type],
            quantization_level=_DTYPES.get(service.weights_dtype, service.weights_dtype),
        )

    def listed(self) -> list[OllamaListedModel]:
        """Under each of its names."""
        return [
            OllamaListedModel(
                name=name,
                model=name,
                modified_at=self._started,
                size=self._size,
                digest=self._digest,
                details=self._details,
            )
            for name in self._names
        ]

    def running(self) -> OllamaRunningModel:
        """Under its first name."""
        return OllamaRunningModel(
            name=self._names[0],
            model=self._names[0],
            size=self._size,
            digest=self._digest,
            details=self._details,
            expires_at=_NEVER,
            size_vram=self._size if self._service.device == "cuda" else 0,
            context_length=self._service.info.max_length,
        )

    def shown(self) -> OllamaShown:
        """With the facts that clients look up; the model type is in the place of the architecture."""
        info, task = self._service.info, self._service.task
        kind = info.model_type
        facts: dict[str, Any] = {
            "general.architecture": kind,
            "general.basename": info.model_id,
            f"{kind}.context_length": info.max_length,
        }
        if "dense" in task.dims:
            facts[f"{kind}.embedding_length"] = task.dims["dense"]
        return OllamaShown(
            details=self._details,
            model_info=facts,
            capabilities=["embedding"] if Ability.DENSE in task.abilities else [],
            modified_at=self._started,
        )
