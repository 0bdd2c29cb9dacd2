"""The OpenAPI of the dialects beside our own: what SIE's, OpenAI's and rerankers' clients find here.

OpenAPI knows no WebSocket, so `/ws/status` is named in words only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from encoderfile.service.prompts import INPUT_TYPES
from encoderfile.tasks import Task
from encoderfile.tasks.abilities import Ability
from encoderfile.transports.http import rerank
from encoderfile.transports.http.sie import dtypes, extract
from encoderfile.transports.http.sie.encode import KINDS
from encoderfile.types import STRATEGIES, ModelInfo

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "number"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_FLAG: Schema = {"type": "boolean"}
_NUMBERS: Schema = {"type": "array", "items": _NUMBER}

_TIMES = ("X-Total-Time", "X-Queue-Time", "X-Tokenization-Time", "X-Inference-Time")


def _object(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    schema: Schema = {"type": "object", "properties": {**required, **(optional or {})}}
    return {**schema, "required": list(required)} if required else schema


def _list(items: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": items, **more}


def _named(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _or_null(schema: Schema) -> Schema:
    """An enumeration must name null too, `nullable` or not."""
    listed = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return {**schema, **listed, "nullable": True}


def schemas(info: ModelInfo, task: Task[Any]) -> dict[str, Schema]:
    """The schemas that the paths refer to."""
    return {
        "Item": _object({"text": _TEXT}, {"id": _or_null(_TEXT), "metadata": _or_null({"type": "object"})}),
        "SieError": _object(
            {
                "detail": _object(
                    {"code": _TEXT, "message": _TEXT},
                    {"requested_profile": _TEXT, "worker_identity": _TEXT},
                ),
                "code": _TEXT,
            }
        ),
        "SieModel": _sie_model(),
        "OpenAIError": _object(
            {"error": _object({"message": _TEXT, "type": _TEXT, "param": _or_null(_TEXT), "code": _TEXT})}
        ),
        "RerankError": _object({"message": _TEXT, "error": _TEXT, "error_type": _TEXT}),
        **(_vector_schemas(info, task) if task.dims else {}),
        **(_extract_schemas() if info.id2label is not None else {}),
        **(_score_schemas(info) if _scores(task) else {}),
    }


def _sie_model() -> Schema:
    return _object(
        {
            "name": _TEXT,
            "inputs": _list(_TEXT),
            "outputs": _list(_TEXT),
            "dims": {"type": "object", "additionalProperties": _COUNT},
            "loaded": _FLAG,
            "state": _TEXT,
            "last_error": _or_null({"type": "object"}),
            "max_sequence_length": _COUNT,
            "profiles": {"type": "object", "additionalProperties": _object({"is_default": _FLAG})},
            "id": _TEXT,
            "object": _TEXT,
            "created": _COUNT,
            "owned_by": _TEXT,
        }
    )


def _vector_schemas(info: ModelInfo, task: Task[Any]) -> dict[str, Schema]:
    dtype: Schema = {"type": "string", "enum": [name for name in dtypes.NAMES if name != "ubinary"]}
    forms = {
        "dense": _object({"dims": _COUNT, "dtype": dtype, "values": _NUMBERS}),
        "sparse": _object({"dims": _COUNT, "dtype": dtype, "indices": _list(_COUNT), "values": _NUMBERS}),
        "multivector": _object(
            {"token_dims": _COUNT, "num_tokens": _COUNT, "dtype": dtype, "values": _list(_NUMBERS)}
        ),
    }
    milliseconds = ("total_ms", "queue_ms", "tokenization_ms", "inference_ms")
    params = {
        "output_types": _or_null(_list({"type": "string", "enum": [each for each in KINDS if each in task.dims]})),
        "instruction": _or_null(_TEXT),
        "output_dtype": _or_null({"type": "string", "enum": list(dtypes.NAMES)}),
        "is_query": _or_null(_FLAG),
        "options": _or_null(
            _object(
                {},
                {
                    "is_query": _or_null(_FLAG),
                    "normalize": _or_null(_FLAG),
                    "query_template": _or_null(_TEXT),
                    "doc_template": _or_null(_TEXT),
                    "profile": _or_null({"type": "string", "enum": ["default"]}),
                },
            )
        ),
    }
    found = {
        "EncodeRequest": _object(
            {"items": _list(_named("Item"), minItems=1)}, {"params": _or_null(_object({}, params))}
        ),
        "EncodeResponse": _object(
            {
                "model": _TEXT,
                "items": _list(_object({}, {"id": _TEXT, **{kind: forms[kind] for kind in task.dims}})),
                "timing": _object({**dict.fromkeys(milliseconds, _NUMBER), "postprocessing_ms": _or_null(_NUMBER)}),
            }
        ),
    }
    if "dense" in task.dims:
        found["EmbeddingsRequest"] = _object(
            {"model": _model_id(info), "input": {"oneOf": [_TEXT, _list(_TEXT, minItems=1)]}},
            {
                "encoding_format": {"type": "string", "enum": ["float", "base64"]},
                "dimensions": _or_null({"type": "integer", "minimum": 1, "maximum": max(task.dims["dense"], 1)}),
                "user": _TEXT,
                **_prompt_fields(info),
                "truncate": _or_null(_FLAG),
            },
        )
        found["EmbeddingsResponse"] = _object(
            {
                "object": {"type": "string", "enum": ["list"]},
                "data": _list(_object({"object": _TEXT, "index": _COUNT, "embedding": {"oneOf": [_NUMBERS, _TEXT]}})),
                "model": _TEXT,
                "usage": _usage(),
            }
        )
    return found


def _prompt_fields(info: ModelInfo) -> dict[str, Schema]:
    """What is put before the texts: at most one of these is sent."""
    names = list(info.prompts)
    return {
        "prompt": _or_null(_TEXT),
        **({"prompt_name": _or_null({"type": "string", "enum": names})} if names else {}),
        "input_type": _or_null({"type": "string", "enum": list(INPUT_TYPES)}),
    }


def _usage() -> Schema:
    return _object({"prompt_tokens": _COUNT, "total_tokens": _COUNT})


def _extract_schemas() -> dict[str, Schema]:
    label = {"label": _TEXT, "score": _NUMBER}
    entity = _object({"text": _TEXT, **label, "start": _COUNT, "end": _COUNT, "bbox": _or_null(_list(_COUNT))})
    options = _object(
        {},
        {
            "overflow_policy": {"type": "string", "enum": sorted(extract.OVERFLOW_POLICIES)},
            "aggregation_strategy": {"type": "string", "enum": list(STRATEGIES)},
            "threshold": _or_null(_NUMBER),
            "profile": _or_null({"type": "string", "enum": ["default"]}),
        },
    )
    params = _object({}, {"labels": _or_null(_list(_TEXT)), "options": _or_null(options)})
    nothing = _list({"type": "object"}, maxItems=0)
    return {
        "ExtractRequest": _object({"items": _list(_named("Item"), minItems=1)}, {"params": _or_null(params)}),
        "ExtractResponse": _object(
            {
                "model": _TEXT,
                "items": _list(
                    _object(
                        {
                            "id": _TEXT,
                            "entities": _list(entity),
                            "relations": nothing,
                            "classifications": _list(_object(label)),
                            "objects": nothing,
                            "data": {"type": "object"},
                        }
                    )
                ),
            }
        ),
    }


def _score_schemas(info: ModelInfo) -> dict[str, Schema]:
    text = {"oneOf": [_TEXT, _object({"text": _TEXT})]}
    return {
        "ScoreRequest": _object(
            {"query": _named("Item"), "items": _list(_named("Item"), minItems=1)},
            {"instruction": _or_null(_TEXT), "options": _or_null({"type": "object"})},
        ),
        "ScoreResponse": _object(
            {
                "model": _TEXT,
                "query_id": _or_null(_TEXT),
                "scores": _list(_object({"item_id": _TEXT, "score": _NUMBER, "rank": _COUNT})),
            }
        ),
        "RerankRequest": {
            "oneOf": [
                _object(
                    {"query": _TEXT, "documents": _list(text, minItems=1)},
                    {
                        "model": _model_id(info),
                        "top_n": {"type": "integer", "minimum": 1},
                        "return_documents": _FLAG,
                        "truncate": _or_null(_FLAG),
                    },
                ),
                _object(
                    {"query": _TEXT, "texts": _list(_TEXT, minItems=1)},
                    {"raw_scores": _FLAG, "return_text": _FLAG, "truncate": _or_null(_FLAG)},
                ),
            ]
        },
        "RerankResponse": {
            "oneOf": [
                _object(
                    {
                        "model": _TEXT,
                        "results": _list(
                            _object(
                                {"index": _COUNT, "relevance_score": _NUMBER}, {"document": _object({"text": _TEXT})}
                            )
                        ),
                        "usage": _usage(),
                    }
                ),
                _list(_object({"index": _COUNT, "score": _NUMBER}, {"text": _TEXT})),
            ]
        },
    }


def _model_id(info: ModelInfo) -> Schema:
    return {"type": "string", "enum": [info.model_id, f"{info.model_id}:default"]}


def _scores(task: Task[Any]) -> bool:
    return Ability.SCORE in task.abilities


def paths(info: ModelInfo, task: Task[Any]) -> dict[str, Any]:
    """Every route of the dialects; where this model cannot answer one, its refusal alone."""
    scores = _scores(task)
    sie, openai, reranker = _named("SieError"), _named("OpenAIError"), _named("RerankError")
    model: Schema = {
        "name": "model",
        "in": "path",
        "required": True,
        "description": "The model's id; slashes as they are or as %2F.",
        "schema": _model_id(info),
    }
    posts = {
        "/v1/encode/{model}": ("encode", "Embeddings, as SIE gives them", "Encode" if task.dims else None, sie),
        "/v1/score/{model}": ("score", "Scores of texts for a query, as SIE", "Score" if scores else None, sie),
        "/v1/extract/{model}": (
            "extract",
            "Entities or classifications, as SIE",
            "Extract" if info.id2label is not None else None,
            sie,
        ),
        "/v1/embeddings": (
            "embeddings",
            "Embeddings, as OpenAI gives them",
            "Embeddings" if "dense" in task.dims else None,
            openai,
        ),
        **{
            path: (path.strip("/").replace("/", "_"), "Texts by relevance", "Rerank" if scores else None, reranker)
            for path in rerank.PATHS
        },
    }
    found: dict[str, Any] = {
        path: {"post": _post(name, summary, schema, error)} for path, (name, summary, schema, error) in posts.items()
    }
    for path, item in found.items():
        if "{model}" in path:
            item["parameters"] = [model]
    found["/v1/models"] = {
        "get": _get(
            "models",
            "The one model",
            _object({"models": _list(_named("SieModel")), "object": _TEXT, "data": _list(_named("SieModel"))}),
            sie,
        )
    }
    found["/v1/models/{model}"] = {
        "parameters": [model],
        "get": _get("get_model", "The model", _named("SieModel"), sie),
    }
    for path, summary in (
        ("/healthz", "Whether the server runs"),
        ("/livez", "Whether the server runs"),
        ("/readyz", "Whether the server takes requests"),
        ("/metrics", "Metrics for Prometheus"),
    ):
        found[path] = {"get": _probe(path.strip("/"), summary)}
    return found


def _json(description: str, schema: Schema, *types: str) -> Schema:
    return {
        "description": description,
        "content": {kind: {"schema": schema} for kind in ("application/json", *types)},
    }


def _refusals(error: Schema, *statuses: str) -> dict[str, Schema]:
    words = {
        "400": "The request is at fault.",
        "401": "The key is missing or wrong (only with --api-key).",
        "404": "Another model was asked for.",
        "408": "The body stopped coming.",
        "413": "The body is over the limit.",
        "422": "The request is at fault.",
        "500": "Internal error.",
        "503": "The queue is full or the server is stopping; try again.",
    }
    refusals = {status: _json(words[status], error) for status in statuses}
    if "503" in refusals:
        refusals["503"]["headers"] = {
            "Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait."}
        }
    return refusals


def _post(name: str, summary: str, schema: str | None, error: Schema) -> Schema:
    invalid = "422" if name.endswith("rerank") else "400"
    if schema is None:
        return {
            "operationId": name,
            "summary": f"{summary}; not with this model",
            "responses": _refusals(error, invalid, "401", "404", "408", "413"),
        }
    # msgpack is SIE's alone; its schema is that of JSON, arrays packed as msgpack-numpy packs them.
    packed = ("application/msgpack",) if error["$ref"].endswith("SieError") else ()
    answer = _json("The answer.", _named(f"{schema}Response"), *packed)
    answer["headers"] = {
        "X-Trace-ID": {"schema": _TEXT, "description": "The caller's trace, or a new one."},
        "X-Truncated-Inputs": {"schema": _COUNT, "description": "How many texts were cut; absent when none was."},
    }
    if packed:
        answer["headers"] |= {each: {"schema": _TEXT, "description": "Milliseconds."} for each in _TIMES}
    body = {kind: {"schema": _named(f"{schema}Request")} for kind in ("application/json", *packed)}
    return {
        "operationId": name,
        "summary": summary,
        "requestBody": {"required": True, "content": body},
        "responses": {"200": answer, **_refusals(error, invalid, "401", "404", "408", "413", "500", "503")},
    }


def _get(name: str, summary: str, schema: Schema, error: Schema) -> Schema:
    return {
        "operationId": name,
        "summary": summary,
        "responses": {"200": _json("The answer.", schema), **_refusals(error, "401", "404")},
    }


def _probe(name: str, summary: str) -> Schema:
    text = {"text/plain": {"schema": _TEXT}}
    responses: Schema = {"200": {"description": "It does.", "content": text}}
    if name == "readyz":
        responses["503"] = {"description": "It is stopping.", "content": text}
    if name == "metrics":
        responses["401"] = {"description": "The key is missing or wrong (only with --api-key).", "content": text}
    probe = {"operationId": name, "summary": summary, "responses": responses}
    return probe if name == "metrics" else {**probe, "security": []}
