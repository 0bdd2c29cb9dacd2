"""`/openapi.json`: made of the endpoints and their shapes, so that it cannot drift from what is served."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import orjson
from starlette.requests import Request
from starlette.responses import Response

import encoderfile
from encoderfile.errors import Kind
from encoderfile.service.metrics import TRUNCATED
from encoderfile.service.requests import json_schema
from encoderfile.transports.http.dialect import PLAIN, Dialect, json_response
from encoderfile.transports.http.endpoint import Endpoint, Form, get
from encoderfile.transports.http.names import ids
from encoderfile.transports.http.schemas import Given
from encoderfile.types import ModelInfo

Schema = dict[str, Any]

_REF = "#/components/schemas/"

_WORDS = {
    400: "The request is at fault.",
    401: "The key is missing or wrong (only with --api-key).",
    404: "Another model was asked for.",
    408: "The body stopped coming.",
    413: "The body is over the limit.",
    415: "The content type is not JSON.",
    422: "The request is at fault.",
    424: "The model cannot do this, or failed.",
    429: "The queue is full; try again.",
    500: "Internal error.",
    503: "The queue is full or the server is not ready; try again.",
}

_SECONDS = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait."}}


def endpoint(info: ModelInfo, others: Sequence[Endpoint], root_path: str = "") -> Endpoint:
    """The route; the document describes it as it does the `others`, and is made when it is first asked for."""

    @functools.cache
    def written() -> bytes:
        return orjson.dumps(document(info, [*others, own], root_path))

    async def openapi(_: Request) -> Response:
        return json_response(written())

    own = get(PLAIN, "/openapi.json", "This document", openapi, dict[str, Any], name="openapi")
    return own


def document(info: ModelInfo, endpoints: Sequence[Endpoint], root_path: str = "") -> dict[str, Any]:
    """An OpenAPI 3.0.3 document of every route this file serves."""
    shapes = _Shapes()
    paths: dict[str, Any] = {}
    for endpoint in endpoints:
        item = paths.setdefault(endpoint.path, {})
        item[endpoint.method.lower()] = _operation(endpoint, shapes, info)
        if "{model}" in endpoint.path:
            item["parameters"] = [_model_parameter(info)]
    return {
        "openapi": "3.0.3",
        "info": {
            "title": info.model_id,
            "version": info.version,
            "description": f"{info.model_type}, served by encoderfile {encoderfile.__version__}. "
            "/ws/status is a WebSocket: a JSON text frame about the server every 200 ms. "
            "POST /mcp, unless switched off, speaks the Model Context Protocol, whose tools/list describes its tool.",
        },
        **({"servers": [{"url": root_path}]} if root_path else {}),
        "tags": [{"name": name} for name in dict.fromkeys(endpoint.dialect.name for endpoint in endpoints)],
        "paths": paths,
        "components": {
            "schemas": shapes.components,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"key": []}],
    }


def _model_parameter(info: ModelInfo) -> Schema:
    return {
        "name": "model",
        "in": "path",
        "required": True,
        "description": "The model's id; slashes as they are or as %2F.",
        "schema": {"type": "string", "enum": ids(info)},
    }


def _operation(endpoint: Endpoint, shapes: _Shapes, info: ModelInfo) -> Schema:
    responses: Schema = {}
    every: Sequence[Endpoint | Form] = (endpoint, *endpoint.forms)
    forms = [form for form in every if form.supported]
    summary = endpoint.summary if forms else f"{endpoint.summary}; not with this model"
    operation: Schema = {
        "operationId": endpoint.name,
        "summary": summary,
        "tags": [form.dialect.name for form in every],
        "responses": responses,
    }
    if forms:
        media = endpoint.media if endpoint.method == "GET" else endpoint.dialect.media
        responses["200"] = _content("The answer.", _any_of([shapes.of(form.response) for form in forms]), *media)
        if endpoint.method == "POST":
            responses["200"]["headers"] = _headers([form.dialect for form in forms], info)
            bodies = _any_of([shapes.of(form.request, form.facts) for form in forms])
            operation["requestBody"] = {"required": True, "content": _content("", bodies, *media)["content"]}
            if endpoint.example is not None:
                operation["requestBody"]["content"][media[0]]["example"] = endpoint.example
    for form in every:
        error = shapes.of(form.dialect.error)
        for status in sorted(_refusals(endpoint, form.dialect, form.supported)):
            told = responses.setdefault(str(status), {"description": _WORDS[status], "content": {}})
            of_media = told["content"].setdefault(form.dialect.error_media, {"schema": error})
            if of_media["schema"] != error:
                of_media["schema"] = _any_of([of_media["schema"], error])
            if status in (429, 503):
                told["headers"] = _SECONDS
    operation["responses"] = dict(sorted(responses.items()))
    return {**operation, "security": []} if endpoint.open else operation


def _any_of(schemas: Sequence[Schema]) -> Schema:
    found = [each for index, each in enumerate(schemas) if each not in schemas[:index]]
    return found[0] if len(found) == 1 else {"anyOf": found}


def _refusals(endpoint: Endpoint, dialect: Dialect, supported: bool) -> set[int]:
    statuses = set(endpoint.also) if endpoint.open else {401, *endpoint.also}
    if endpoint.method == "POST":
        statuses |= {dialect.statuses[Kind.INVALID_ARGUMENT], 408, 413, *dialect.also, *dialect.of_class.values()}
        statuses |= {dialect.statuses[kind] for kind in _OF_THE_SERVER} if supported else set()
    return statuses


_OF_THE_SERVER = (Kind.RESOURCE_EXHAUSTED, Kind.UNAVAILABLE, Kind.INTERNAL)


def _headers(dialects: Sequence[Dialect], info: ModelInfo) -> Schema:
    text = {"type": "string"}
    return {
        "X-Trace-ID": {"schema": text, "description": "The caller's trace, or a new one."},
        "Server-Timing": {
            "schema": text,
            "description": "Milliseconds of `tokenize`, `queue`, `inference` and `total`, where the model ran.",
        },
        TRUNCATED.title(): {
            "schema": {"type": "integer"},
            "description": f"How many texts were truncated at {info.max_length} tokens; absent when none was.",
        },
        **{name: _of_run(name) for dialect in dialects for name in dialect.headers},
    }


def _of_run(name: str) -> Schema:
    unit = "Milliseconds, where the model ran." if name.lower().endswith("time") else "Where the model ran."
    return {"schema": {"type": "string"}, "description": unit}


def _content(description: str, schema: Schema, *media: str) -> Schema:
    return {"description": description, "content": {kind: {"schema": schema} for kind in media}}


class _Shapes:
    """The shapes of all endpoints as OpenAPI 3.0 has them: those with a name are components."""

    def __init__(self) -> None:
        self.components: dict[str, Schema] = {}

    def of(self, shape: Any, facts: Mapping[str, Mapping[str, Any]] | None = None) -> Schema:
        """The schema, or a reference to a component; `facts` narrow its properties."""
        if isinstance(shape, Given):
            name, schema = shape.name, shape.schema()
        else:
            name, schema = shape.__name__ if msgspec.inspect.is_struct_type(shape) else "", json_schema(shape)
        if name not in self.components:
            found: Schema = _openapi(schema)
            for field, fact in (facts or {}).items():
                described = found["properties"][field] | fact
                if "enum" in fact and "nullable" in described:
                    described["enum"] = [*fact["enum"], None]
                found["properties"][field] = described
            if not name:
                return found
            self.components[name] = found
        return {"$ref": _REF + name}


def _openapi(schema: Any) -> Any:
    """JSON Schema in OpenAPI 3.0's dialect: `nullable` in the place of a type null."""
    if isinstance(schema, list):
        return [_openapi(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _openapi(value) for key, value in schema.items() if (key, value) != ("required", [])}
    if isinstance(schema.get("type"), list):
        (found["type"],) = (each for each in schema["type"] if each != "null")
        found["nullable"] = True
    if {"type": "null"} in schema.get("anyOf", ()):
        found["anyOf"].remove({"type": "null"})
        found["anyOf"][0]["nullable"] = True
    return found
