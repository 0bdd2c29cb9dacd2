"""`/openapi.json`: generated from the model type's own schemas, so that it cannot drift from the answers."""

from __future__ import annotations

from typing import Any

import encoderfile
from encoderfile.service.json_form import request_schema, response_schema
from encoderfile.tasks import TASKS, Task
from encoderfile.transports.http import openapi_dialects
from encoderfile.types import ModelInfo

_REFUSALS = {
    "401": "The key is missing or wrong (only with --api-key).",
    "408": "The body stopped coming.",
    "413": "The body is over the limit.",
    "415": "The content type is not JSON.",
    "422": "Invalid input.",
    "500": "Internal error.",
    "503": "The queue is full or the server is stopping; try again.",
}


def document(info: ModelInfo, task: Task[Any]) -> dict[str, Any]:
    """An OpenAPI 3.0.3 document of every route this file serves."""
    text = {"text/plain": {"schema": {"type": "string"}}}
    refusals = {status: {"description": words, "content": text} for status, words in _REFUSALS.items()}
    refusals["503"]["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait."}}
    unauthenticated = {"401": refusals["401"]}
    predicted = {
        **_answer("One result per input, in order.", {"$ref": "#/components/schemas/Response"}),
        "headers": {
            "X-Truncated-Inputs": {
                "schema": {"type": "integer"},
                "description": f"How many inputs were cut at {info.max_length} tokens; absent when none was.",
            }
        },
    }
    model = {
        "type": "object",
        "properties": {
            "model_id": {"type": "string"},
            "model_type": {"type": "string", "enum": list(TASKS)},
            "id2label": {"type": "object", "additionalProperties": {"type": "string"}},
        },
        "required": ["model_id", "model_type"],
    }
    return {
        "openapi": "3.0.3",
        "info": {
            "title": info.model_id,
            "version": info.version,
            "description": f"{info.model_type}, served by encoderfile {encoderfile.__version__}. "
            "/ws/status is a WebSocket: a JSON text frame about the server every 200 ms. "
            "POST /mcp, unless switched off, speaks the Model Context Protocol, whose tools/list describes its tool.",
        },
        "paths": {
            "/": {
                "get": {
                    "operationId": "front",
                    "summary": "What this is and where its routes are",
                    "responses": {
                        "200": {
                            "description": "Text, or a page where the request accepts one.",
                            "content": {each: {"schema": {"type": "string"}} for each in ("text/plain", "text/html")},
                        },
                        **unauthenticated,
                    },
                }
            },
            "/health": {
                "get": {
                    "operationId": "health",
                    "summary": "Whether the server runs",
                    "security": [],
                    "responses": {"200": _answer("It runs.", {"type": "string", "enum": ["OK!"]})},
                }
            },
            "/model": {
                "get": {
                    "operationId": "model",
                    "summary": "What the model is",
                    "responses": {
                        "200": _answer("The model.", {"$ref": "#/components/schemas/Model"}),
                        **unauthenticated,
                    },
                }
            },
            "/openapi.json": {
                "get": {
                    "operationId": "openapi",
                    "summary": "This document",
                    "responses": {"200": _answer("This document.", {"type": "object"}), **unauthenticated},
                }
            },
            "/predict": {
                "post": {
                    "operationId": "predict",
                    "summary": task.summary,
                    "requestBody": {
                        "required": True,
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Request"}}},
                    },
                    "responses": {"200": predicted, **refusals},
                }
            },
            **openapi_dialects.paths(info, task),
        },
        "components": {
            "schemas": {
                "Model": model,
                "Request": _openapi_3_0(request_schema(task, info)),
                "Response": _openapi_3_0(response_schema(task)),
                **openapi_dialects.schemas(info, task),
            },
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"key": []}],
    }


def _answer(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _openapi_3_0(schema: Any) -> Any:
    """JSON Schema in OpenAPI 3.0's dialect: `nullable` instead of a list of types."""
    if isinstance(schema, list):
        return [_openapi_3_0(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    converted = {key: _openapi_3_0(value) for key, value in schema.items()}
    if isinstance(schema.get("type"), list):
        (converted["type"],) = (each for each in schema["type"] if each != "null")
        converted["nullable"] = True
    return converted
