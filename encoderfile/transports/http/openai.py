"""`POST /v1/embeddings`, as OpenAI's clients speak it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from encoderfile.errors import Kind
from encoderfile.service import known_fields, prompts
from encoderfile.service.service import Service
from encoderfile.tasks.numerics import unit
from encoderfile.transports.http import failures, schemas
from encoderfile.transports.http.dialect import Dialect, read_object
from encoderfile.transports.http.endpoint import Answer, Call, Endpoint, post
from encoderfile.transports.http.failures import Failure
from encoderfile.transports.http.names import ModelNotFoundError, check_model, ids
from encoderfile.types import FloatArray, ModelInfo, PredictRequest

CODES: dict[Kind, str] = {
    Kind.INVALID_ARGUMENT: "invalid_request",
    Kind.UNAUTHENTICATED: "invalid_api_key",
    Kind.RESOURCE_EXHAUSTED: "queue_full",
    Kind.UNAVAILABLE: "server_stopping",
    Kind.INTERNAL: "inference_error",
    Kind.FAILED_PRECONDITION: "internal_error",
}
"""One code per kind."""

_TOKENS = (
    "token ids are not taken: the client counted them with another model's tokenizer. Send text; "
    "in LangChain that is OpenAIEmbeddings(..., check_embedding_ctx_length=False)"
)


class EmbeddingsRequest(schemas.Prompt, kw_only=True):
    model: str
    input: str | Annotated[list[str], Meta(min_length=1)]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: int | None = None
    user: Annotated[Any, Meta(description="Ignored.")] = None


class Embedding(Struct):
    object: Literal["embedding"]
    index: schemas.Count
    embedding: list[float] | str


class EmbeddingsResponse(Struct):
    object: Literal["list"]
    data: list[Embedding]
    model: str
    usage: schemas.Usage


class OpenAIFault(Struct):
    message: str
    type: Literal["invalid_request_error", "server_error"]
    param: str | None
    code: str


class OpenAIError(Struct):
    error: OpenAIFault


class UnsupportedError(known_fields.FieldError):
    """A field asks for what this model cannot do."""


def _fail(failure: Failure) -> Response:
    if isinstance(failure.error, ModelNotFoundError):
        code = "model_not_found"
    elif isinstance(failure.error, UnsupportedError):
        code = "unsupported_field"
    else:
        code = CODES[failure.kind or Kind.INVALID_ARGUMENT]
    kind: Literal["server_error", "invalid_request_error"]
    kind = "server_error" if failure.status >= 500 else "invalid_request_error"
    return failure.json(OpenAIError(OpenAIFault(failure.message, kind, failure.field, code)))


def _read(request: Request, data: bytes) -> dict[str, Any]:
    body = read_object(request, data)
    given = body.get("input")
    if isinstance(given, list) and given and all(isinstance(each, int | list) for each in given):
        raise known_fields.FieldError(_TOKENS, "input")
    return body


DIALECT = Dialect(
    prefixes=("/v1/embeddings",), fail=_fail, error=OpenAIError, statuses=failures.BAD_REQUEST, read=_read
)


def endpoints(service: Service) -> list[Endpoint]:
    """The one route."""

    async def embeddings(call: Call, asked: EmbeddingsRequest) -> Answer:
        check_model(asked.model, service.info)
        size = service.task.dims.get("dense")
        if size is None:
            gives = ", ".join(service.task.dims) or "labels"
            raise known_fields.FieldError(
                f"the model '{asked.model}' gives no dense embeddings, but {gives}", "model"
            )
        dimensions = _dimensions(asked.dimensions, size, service.info)
        texts = [asked.input] if isinstance(asked.input, str) else asked.input
        prediction = await call.answering.by(
            service.predict(
                PredictRequest(
                    texts,
                    allow_empty=True,
                    refuse_overflow=known_fields.refuse_overflow(call.body, service.info.truncation_side),
                    prompt=prompts.read(call.body),
                    raw=True,
                )
            )
        )
        vectors = service.task.vectors("dense", prediction.results, None)
        beginnings = _beginnings(vectors, dimensions, service.task.normalizes)
        form = _base64 if asked.encoding_format == "base64" else _floats
        return Answer(
            {
                "object": "list",
                "data": (
                    {"object": "embedding", "index": index, "embedding": form(vector)}
                    for index, vector in enumerate(beginnings)
                ),
                "model": asked.model,
                "usage": schemas.usage(prediction.token_count),
            }
        )

    dims = service.task.dims
    return [
        post(
            service,
            DIALECT,
            "/v1/embeddings",
            embeddings,
            name="embeddings",
            summary="Embeddings, as OpenAI gives them",
            request=EmbeddingsRequest,
            response=EmbeddingsResponse,
            supported="dense" in dims,
            facts={
                "model": {"enum": ids(service.info)},
                "dimensions": {"minimum": 1, "maximum": max(dims.get("dense", 1), 1)},
                **schemas.prompt_facts(prompts.names_of(service.task, service.info)),
            },
        )
    ]


def _dimensions(wanted: int | None, size: int, info: ModelInfo) -> int | None:
    if wanted is None or wanted == size:
        return None
    if not info.matryoshka:
        raise UnsupportedError(
            f"the model gives {size} dimensions and is not made for fewer: leave dimensions out, or send {size}",
            "dimensions",
        )
    if not 0 < wanted < size:
        raise known_fields.FieldError(f"dimensions should be from 1 to {size}", "dimensions")
    sizes = info.matryoshka_dimensions
    if sizes and wanted not in sizes:
        known = ", ".join(str(each) for each in sorted({*sizes, size}) if each <= size)
        raise known_fields.FieldError(f"the model is made for {known} dimensions, not for {wanted}", "dimensions")
    return wanted


def _beginnings(vectors: Iterator[FloatArray], dimensions: int | None, normalizes: bool) -> Iterator[FloatArray]:
    """The beginning of each vector, of unit length again where the model normalises."""
    beginnings = (vector[:dimensions] for vector in vectors)
    return (unit(beginning) for beginning in beginnings) if normalizes and dimensions is not None else beginnings


def _floats(vector: FloatArray) -> FloatArray:
    return vector


def _base64(vector: FloatArray) -> str:
    """Little-endian float32."""
    return base64.b64encode(vector.astype("<f4", copy=False).tobytes()).decode()
