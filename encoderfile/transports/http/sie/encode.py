"""`POST /v1/encode/{model}`: dense, sparse and multivector embeddings."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import asdict

from encoderfile.errors import InputError
from encoderfile.service.cooperative import cooperatively
from encoderfile.service.prompts import DOCUMENT, QUERY
from encoderfile.service.service import Service
from encoderfile.transports.http.endpoint import Answer, Call, Endpoint, post
from encoderfile.transports.http.schemas import Count
from encoderfile.transports.http.sie import dtypes
from encoderfile.transports.http.sie.dialect import DIALECT, Times, times
from encoderfile.transports.http.sie.dtypes import Dtype
from encoderfile.transports.http.sie.requests import (
    Items,
    Options,
    asked_prompt,
    check_options,
    model_of,
    read_template,
    texts,
)
from encoderfile.types import AskedPrompt, FloatArray, ModelInfo, PredictRequest


class EncodeOptions(Options):
    is_query: bool | None = None
    normalize: bool | None = None
    query_template: str | None = None
    doc_template: str | None = None
    muvera: Any = None


class EncodeParams(Struct, kw_only=True):
    output_types: list[Literal["dense", "multivector", "sparse"]] | None = None
    instruction: str | None = None
    output_dtype: Dtype | None = None
    is_query: bool | None = None
    options: EncodeOptions | None = None


class EncodeRequest(Struct, kw_only=True):
    items: Items
    params: EncodeParams | None = None


_Dtype = Literal["float32", "float16", "int8", "uint8", "binary"]


class Dense(Struct):
    dims: Count
    dtype: _Dtype
    values: list[float]


class Sparse(Struct):
    dims: Count
    dtype: _Dtype
    indices: list[Count]
    values: list[float]


class Multivector(Struct):
    token_dims: Count
    num_tokens: Count
    dtype: _Dtype
    values: list[list[float]]


class EncodedItem(Struct):
    id: str | UnsetType = UNSET
    dense: Dense | UnsetType = UNSET
    sparse: Sparse | UnsetType = UNSET
    multivector: Multivector | UnsetType = UNSET


class EncodeResponse(Struct):
    model: str
    items: list[EncodedItem]
    timing: Times


def endpoint(service: Service) -> Endpoint:
    """The route."""

    async def encode(call: Call, asked: EncodeRequest) -> Answer:
        name = model_of(call, service)
        params = asked.params or EncodeParams()
        options = params.options or EncodeOptions()
        check_options(options, service.info)
        # The TypeScript client puts it next to the options.
        is_query = params.is_query if options.is_query is None else options.is_query
        if is_query is not None:
            service.task.check_purpose(QUERY if is_query else DOCUMENT)
        kinds = _kinds(params.output_types, service.task.dims, service.info)
        template = options.query_template if is_query else options.doc_template
        request = _request(texts(asked.items), template, params.instruction, is_query, service)
        request = replace(request, kinds=kinds)
        prediction = await call.answering.by(service.predict(request))
        started = time.perf_counter()
        found: list[dict[str, Any]] = [{} if item.id is None else {"id": item.id} for item in asked.items]
        for kind in dict.fromkeys(kinds):
            vectors = service.task.vectors(kind, prediction.results, options.normalize)
            forms = await cooperatively(_FORMS[kind](vector, params.output_dtype or "float32") for vector in vectors)
            for answer, form in zip(found, forms, strict=True):
                answer[kind] = form
        took = times(call.answering, time.perf_counter() - started)
        return Answer({"model": name, "items": found, "timing": asdict(took)}, took.headers())

    return post(
        service,
        DIALECT,
        "/v1/encode/{model}",
        encode,
        name="encode",
        summary="Embeddings, as SIE gives them",
        request=EncodeRequest,
        response=EncodeResponse,
        supported=bool(service.task.dims),
    )


def _request(
    texts: list[str], template: str | None, instruction: str | None, is_query: bool | None, service: Service
) -> PredictRequest:
    prompt = asked_prompt(is_query, instruction)
    if template:
        filled = read_template(template, instruction, service)
        service.check_characters(filled.length(texts))
        texts = [filled.fill_in(text) for text in texts]
        # The template says all that the model reads, but not what the text is for.
        says = is_query is not None and service.task.purposes
        prompt = asked_prompt(is_query, None) if says else AskedPrompt(text="")
    return PredictRequest(texts, allow_empty=True, prompt=prompt, raw=True)


def _kinds(wanted: Sequence[str] | None, dims: Mapping[str, int], info: ModelInfo) -> Sequence[str]:
    if not dims:
        raise InputError(
            f"Model '{info.model_id}' does not support encoding: it gives labels, ask /v1/extract or /v1/score"
        )
    if not wanted:
        return ["dense"] if "dense" in dims else list(dims)
    missing = [kind for kind in wanted if kind not in dims]
    if missing:
        raise InputError(
            f"Model '{info.model_id}' does not support output types: {', '.join(missing)}. "
            f"Supported: {', '.join(dims)}"
        )
    return wanted


def _dense(vector: FloatArray, dtype: Dtype) -> dict[str, Any]:
    name, numbers = dtypes.convert(vector, dtype)
    return {"dims": len(vector), "dtype": name, "values": numbers}


def _sparse(vector: FloatArray, dtype: Dtype) -> dict[str, Any]:
    # Weights stay floats: the formulas of whole numbers are made for dense vectors.
    name: Dtype = dtype if dtype == "float16" else "float32"
    # int32: clients' decoders know no int64.
    indices = np.flatnonzero(vector).astype(np.int32)
    _, values = dtypes.convert(vector[indices], name)
    return {"dims": len(vector), "dtype": name, "indices": indices, "values": values}


def _multivector(rows: FloatArray, dtype: Dtype) -> dict[str, Any]:
    name, numbers = dtypes.convert(rows, dtype)
    return {"token_dims": rows.shape[1], "num_tokens": len(rows), "dtype": name, "values": numbers}


_FORMS = {"dense": _dense, "sparse": _sparse, "multivector": _multivector}
