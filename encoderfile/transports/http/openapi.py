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
from encoderfile.transports.http.dialect import PLAIN, json_response
from encoderfile.transports.http.endpoint import Endpoint
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
    500: "Internal error.",
    503: "The queue is full or the server is not ready; try again.",
}

_SECONDS = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait."}}


def endpoint(info: ModelInfo, others: Sequence[Endpoint]) -> Endpoint:
    """The route; the document describes it as it does the `others`, and is made when it is first asked for."""

    @functools.cache
    def written() -> bytes:
        return orjson.dumps(document(info, [*others, own]))

    async def openapi(_: Request) -> Response:
        return json_response(written())

    own = Endpoint(
        dialect=PLAIN,
        path="/openapi.json",
        name="openapi",
        summary="This document",
        respond=openapi,
        response=dict[str, Any],
    )
    return own


def document(info: ModelInfo, endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """An OpenAPI 3.0.3 document of every route this file serves."""
    shapes = _Shapes(endpoints)
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
    summary = endpoint.summary if endpoint.supported else f"{endpoint.summary}; not with this model"
    operation: Schema = {"operationId": endpoint.name, "summary": summary, "responses": responses}
    if endpoint.supported:
        media = endpoint.media if endpoint.method == "GET" else endpoint.dialect.media
        responses["200"] = _content("The answer.", shapes.of(endpoint.response), *media)
        if endpoint.method == "POST":
            responses["200"]["headers"] = _headers(endpoint, info)
            body = _content("", shapes.of(endpoint.request), *media)["content"]
            operation["requestBody"] = {"required": True, "content": body}
    error = shapes.of(endpoint.dialect.error)
    for status in sorted(_refusals(endpoint)):
        responses[str(status)] = _content(_WORDS[status], error, endpoint.dialect.error_media)
        if status == 503:
            responses["503"]["headers"] = _SECONDS
    return {**operation, "security": []} if endpoint.open else operation


def _refusals(endpoint: Endpoint) -> set[int]:
    statuses = set(endpoint.also) if endpoint.open else {401, *endpoint.also}
    if endpoint.method == "POST":
        statuses |= {endpoint.dialect.statuses[Kind.INVALID_ARGUMENT], 408, 413, *endpoint.dialect.also}
        statuses |= {500, 503} if endpoint.supported else set()
    return statuses


def _headers(endpoint: Endpoint, info: ModelInfo) -> Schema:
    text = {"type": "string"}
    return {
        "X-Trace-ID": {"schema": text, "description": "The caller's trace, or a new one."},
        TRUNCATED.title(): {
            "schema": {"type": "integer"},
            "description": f"How many texts were truncated at {info.max_length} tokens; absent when none was.",
        },
        **{name: {"schema": text, "description": "Milliseconds."} for name in endpoint.dialect.headers},
    }


def _content(description: str, schema: Schema, *media: str) -> Schema:
    return {"description": description, "content": {kind: {"schema": schema} for kind in media}}


class _Shapes:
    """The shapes of all endpoints as OpenAPI 3.0 has them."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        asked = [shape for each in endpoints if each.supported for shape in (each.response, each.request)]
        shapes = [each.dialect.error for each in endpoints] + [shape for shape in asked if shape is not None]
        found = {id(shape): shape for shape in shapes}
        given = [shape for shape in found.values() if isinstance(shape, Given)]
        types = [shape for shape in found.values() if not isinstance(shape, Given)]
        schemas, components = msgspec.json.schema_components(types, ref_template=_REF + "{name}")
        for shape in given:
            components[shape.name] = dict(shape.schema)
        self.components = {name: _openapi(schema, components) for name, schema in components.items()}
        self._of: dict[int, Schema] = {
            id(shape): _openapi(schema, components) for shape, schema in zip(types, schemas, strict=True)
        }
        self._of |= {id(shape): {"$ref": _REF + shape.name} for shape in given}
        for each in endpoints:
            if each.supported and each.facts:
                self._narrow(self.of(each.request), each.facts)

    def of(self, shape: Any) -> Schema:
        """The schema, or a reference to one of the components."""
        return self._of[id(shape)]

    def _narrow(self, reference: Schema, facts: Mapping[str, Mapping[str, Any]]) -> None:
        properties = self.components[reference["$ref"].removeprefix(_REF)]["properties"]
        for name, fact in facts.items():
            properties[name] |= fact
            if "enum" in fact and "nullable" in properties[name]:
                properties[name]["enum"] = [*fact["enum"], None]


def _openapi(schema: Any, components: Mapping[str, Any]) -> Any:
    """JSON Schema in OpenAPI 3.0's dialect: `nullable` in the place of a type null."""
    if isinstance(schema, list):
        return [_openapi(each, components) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _openapi(value, components) for key, value in schema.items() if not _is_idle(key, value)}
    if "enum" in schema:
        found.setdefault("type", "string")  # a `Literal` has no other values here
    if isinstance(schema.get("type"), list):
        (found["type"],) = (each for each in schema["type"] if each != "null")
        found["nullable"] = True
    if {"type": "null"} in schema.get("anyOf", ()):
        first, *others = (each for each in found.pop("anyOf") if each != {"type": "null"})
        if "$ref" in first:  # keywords next to a reference do not count
            first = _openapi(components[first["$ref"].removeprefix(_REF)], components)
        first["nullable"] = True
        if "enum" in first:
            first["enum"] = [*first["enum"], None]
        found |= {"anyOf": [first, *others]} if others else {**first, **found}
    return found


def _is_idle(key: str, value: Any) -> bool:
    """Whether a keyword says nothing that the name or `nullable` does not say, or nothing at all."""
    return (key == "title" and isinstance(value, str)) or (key, value) in (("default", None), ("required", []))
