"""`POST /v1/encode/{model}`: dense, sparse and multivector embeddings."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from encoderfile.errors import InputError
from encoderfile.service import known_fields
from encoderfile.service.prompts import DOCUMENT, QUERY
from encoderfile.service.service import Service
from encoderfile.service.turns import in_turns
from encoderfile.transports.http.names import check_model
from encoderfile.transports.http.sie import dtypes, wire
from encoderfile.transports.http.sie.items import (
    Item,
    asked_prompt,
    check_machine,
    read_items,
    read_options,
    read_template,
    refuse_options,
    typed,
)
from encoderfile.transports.http.sie.timing import times
from encoderfile.types import AskedPrompt, FloatArray, ModelInfo, PredictRequest

KINDS = ("dense", "multivector", "sparse")
"""What `output_types` may name."""

_SETTLED = ("pooling", "max_seq_length", "muvera")

_DONE = frozenset({"output_types", "instruction", "output_dtype", "is_query"})
_DONE_OPTIONS = frozenset({"is_query", "normalize", "query_template", "doc_template"})
"""The known fields that this route does."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request, read."""

    items: Sequence[Item]
    kinds: Sequence[str]
    dtype: str
    instruction: str | None
    is_query: bool | None
    template: str | None
    normalize: bool | None


def route(service: Service, max_body_bytes: int) -> Route:
    """The route."""

    async def encode(request: Request) -> Response:
        with service.metrics.request("encode") as measured:
            check_machine(request.headers, service.device)
            body = await wire.read(request, max_body_bytes)
            items, params = read_items(body), typed(body, "params", dict) or {}
            name = request.path_params["model"]
            check_model(name, service.info)
            asked = _read(items, params, service)
            prediction = await service.predict(_request(asked, service))
            measured.timing = prediction.timing
            started = time.perf_counter()
            found = await _vectors(asked, prediction.results, service)
            took = times(measured, prediction.timing, time.perf_counter() - started)
            content = {"model": name, "items": found, "timing": took.to_json()}
            return await wire.answer(request, content, took.headers(prediction.truncated_inputs))

    return Route("/v1/encode/{model:path}", encode, methods=["POST"])


def _request(asked: _Asked, service: Service) -> PredictRequest:
    texts = [item.text for item in asked.items]
    prompt = asked_prompt(asked.is_query, asked.instruction)
    if asked.template:
        template = read_template(asked.template, asked.instruction, service)
        service.check_characters(template.length(texts))
        texts = [template.fill_in(text) for text in texts]
        prompt = AskedPrompt(text="")  # the template says all that the model reads
    return PredictRequest(texts, allow_empty=True, prompt=prompt, raw=True)


def _read(items: Sequence[Item], params: Mapping[str, Any], service: Service) -> _Asked:
    options = read_options(params, service.info)
    refuse_options(options, _SETTLED)
    dtype = typed(params, "output_dtype", str) or "float32"
    dtypes.check(dtype)
    known_fields.check(params, _DONE)
    known_fields.check(options, _DONE_OPTIONS, "options.")
    in_options, beside = typed(options, "is_query", bool, "options."), typed(params, "is_query", bool)
    # The TypeScript client puts it beside the options.
    is_query = beside if in_options is None else in_options
    if is_query is not None:
        service.task.check_purpose(QUERY if is_query else DOCUMENT)
    return _Asked(
        items=items,
        kinds=_kinds(params, service.task.dims, service.info),
        dtype=dtype,
        instruction=typed(params, "instruction", str),
        is_query=is_query,
        template=typed(options, "query_template" if is_query else "doc_template", str, "options."),
        normalize=typed(options, "normalize", bool, "options."),
    )


def _kinds(params: Mapping[str, Any], dims: Mapping[str, int], info: ModelInfo) -> list[str]:
    if not dims:
        raise InputError(
            f"Model '{info.model_id}' does not support encoding: it gives labels, ask /v1/extract or /v1/score"
        )
    wanted: list[str] | None = typed(params, "output_types", list)
    if not wanted:
        return ["dense"] if "dense" in dims else list(dims)
    if any(kind not in KINDS for kind in wanted):
        raise InputError(f"output_types may name {', '.join(KINDS)}, got {', '.join(map(repr, wanted))}")
    missing = [kind for kind in wanted if kind not in dims]
    if missing:
        raise InputError(
            f"Model '{info.model_id}' does not support output types: {', '.join(missing)}. "
            f"Supported: {', '.join(dims)}"
        )
    return wanted


async def _vectors(asked: _Asked, results: Sequence[Any], service: Service) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{} if item.id is None else {"id": item.id} for item in asked.items]
    for kind in dict.fromkeys(asked.kinds):
        vectors = service.task.vectors(kind, results, asked.normalize)
        forms = await in_turns(_FORMS[kind](vector, asked.dtype) for vector in vectors)
        for answer, form in zip(found, forms, strict=True):
            answer[kind] = form
    return found


def _dense(vector: FloatArray, dtype: str) -> dict[str, Any]:
    name, numbers = dtypes.convert(vector, dtype)
    return {"dims": len(vector), "dtype": name, "values": numbers}


def _sparse(vector: FloatArray, dtype: str) -> dict[str, Any]:
    # Weights stay floats: the formulas of whole numbers are made for dense vectors.
    name = dtype if dtype == "float16" else "float32"
    # int32: clients' decoders know no int64.
    indices = np.flatnonzero(vector).astype(np.int32)
    _, values = dtypes.convert(vector[indices], name)
    return {"dims": len(vector), "dtype": name, "indices": indices, "values": values}


def _multivector(rows: FloatArray, dtype: str) -> dict[str, Any]:
    name, numbers = dtypes.convert(rows, dtype)
    return {"token_dims": rows.shape[1], "num_tokens": len(rows), "dtype": name, "values": numbers}


_FORMS = {"dense": _dense, "sparse": _sparse, "multivector": _multivector}
