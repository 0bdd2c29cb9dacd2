"""`POST /v1/embeddings`, as OpenAI's clients speak it."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from encoderfile.errors import EncoderfileError, InternalError, Kind
from encoderfile.service import known_fields, prompts
from encoderfile.service.json_pieces import object_pieces
from encoderfile.service.service import Service
from encoderfile.service.turns import in_turns
from encoderfile.tasks.numerics import unit
from encoderfile.transports.http import body
from encoderfile.transports.http.names import ModelNotFoundError, check_model
from encoderfile.transports.http.pieces import Pieces
from encoderfile.types import FloatArray, PredictRequest

PATH = "/v1/embeddings"

STATUS: dict[Kind, int] = {
    Kind.INVALID_ARGUMENT: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.RESOURCE_EXHAUSTED: 503,
    Kind.UNAVAILABLE: 503,
    Kind.INTERNAL: 500,
    Kind.FAILED_PRECONDITION: 500,
}
"""One status per kind."""

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


_DONE = frozenset({"encoding_format", "dimensions", *prompts.FIELDS, *known_fields.TRUNCATION})
"""The known fields that this route does."""


class ParamError(known_fields.FieldError):
    """A field of the body is at fault: `code` says how where the kind does not."""

    def __init__(self, message: str, param: str, code: str = CODES[Kind.INVALID_ARGUMENT]) -> None:
        super().__init__(message, param)
        self.code = code


def routes(service: Service, max_body_bytes: int) -> list[Route]:
    """The one route."""

    async def embeddings(request: Request) -> Response:
        with service.metrics.request("embeddings") as measured:
            asked = await body.read_object(request, max_body_bytes)
            texts, as_base64, dimensions = _read(asked, service)
            side = service.info.truncation_side
            prediction = await service.predict(
                PredictRequest(
                    texts,
                    allow_empty=True,
                    refuse_overflow=known_fields.refuse_overflow(asked, side),
                    prompt=prompts.read(asked),
                    raw=True,
                )
            )
            measured.timing = prediction.timing
            vectors = service.task.vectors("dense", prediction.results, None)
            headers = {}
            if prediction.truncated_inputs:
                headers["X-Truncated-Inputs"] = str(prediction.truncated_inputs)
            answer = {
                "object": "list",
                "data": (
                    {"object": "embedding", "index": index, "embedding": _base64(vector) if as_base64 else vector}
                    for index, vector in enumerate(_cut(vectors, dimensions, service.task.normalizes))
                ),
                "model": asked["model"],
                "usage": {"prompt_tokens": prediction.token_count, "total_tokens": prediction.token_count},
            }
            return Pieces(await in_turns(object_pieces(answer)), headers)

    return [Route(PATH, embeddings, methods=["POST"])]


def _read(asked: Mapping[str, Any], service: Service) -> tuple[list[str], bool, int | None]:
    model = asked.get("model")
    if not isinstance(model, str):
        raise ParamError("model should be a text", "model")
    texts = _texts(asked.get("input"))
    form = asked.get("encoding_format") or "float"
    if form not in ("float", "base64"):
        raise ParamError("encoding_format should be float or base64", "encoding_format")
    check_model(model, service.info)
    size = service.task.dims.get("dense")
    if size is None:
        gives = ", ".join(service.task.dims) or "labels"
        raise ParamError(f"the model '{model}' gives no dense embeddings, but {gives}", "model")
    known_fields.check(asked, _DONE)
    return texts, form == "base64", _dimensions(asked.get("dimensions"), size, service)


def _texts(given: object) -> list[str]:
    if isinstance(given, str):
        return [given]
    if not isinstance(given, list):
        raise ParamError("input should be a text or a list of texts", "input")
    if not given:
        raise ParamError("input is empty: send at least one text", "input")
    if all(isinstance(text, str) for text in given):
        return given
    if all(isinstance(each, int | list) for each in given):
        raise ParamError(_TOKENS, "input")
    raise ParamError("input should be a text or a list of texts", "input")


def _dimensions(wanted: object, size: int, service: Service) -> int | None:
    if wanted is None or wanted == size:
        return None
    if isinstance(wanted, bool) or not isinstance(wanted, int):
        raise ParamError("dimensions should be a whole number", "dimensions")
    if not service.info.matryoshka:
        raise ParamError(
            f"the model gives {size} dimensions and is not made to be cut: leave dimensions out, or send {size}",
            "dimensions",
            "unsupported_field",
        )
    if not 0 < wanted < size:
        raise ParamError(f"dimensions should be from 1 to {size}", "dimensions")
    sizes = service.info.matryoshka_dimensions
    if sizes and wanted not in sizes:
        known = ", ".join(str(each) for each in sorted({*sizes, size}) if each <= size)
        raise ParamError(f"the model is made to be cut to {known} dimensions, not to {wanted}", "dimensions")
    return wanted


def _cut(vectors: Iterator[FloatArray], dimensions: int | None, normalizes: bool) -> Iterator[FloatArray]:
    """The beginning of each vector, of unit length again where the model normalises."""
    beginnings = (vector[:dimensions] for vector in vectors)
    return (unit(beginning) for beginning in beginnings) if normalizes and dimensions is not None else beginnings


def _base64(vector: FloatArray) -> str:
    """Little-endian float32."""
    return base64.b64encode(vector.astype("<f4", copy=False).tobytes()).decode()


def refuse(error: Exception) -> Response:
    """The answer to a request that failed."""
    param, headers = None, {}
    if isinstance(error, HTTPException):
        status, message = error.status_code, error.detail
        code = "model_not_found" if isinstance(error, ModelNotFoundError) else "invalid_request"
        headers = dict(error.headers or {})
    else:
        kind = error.kind if isinstance(error, EncoderfileError) else Kind.INTERNAL
        status, code, message = STATUS[kind], CODES[kind], str(error)
        if not isinstance(error, EncoderfileError):
            message = str(InternalError.unforeseen())
        if isinstance(error, known_fields.FieldError):
            param = error.field
        if isinstance(error, ParamError):
            code = error.code
        if status == 503:
            headers["Retry-After"] = "1"
        if kind is Kind.UNAUTHENTICATED:
            headers["WWW-Authenticate"] = "Bearer"
    kind_of_error = "server_error" if status >= 500 else "invalid_request_error"
    answer = {"error": {"message": message, "type": kind_of_error, "param": param, "code": code}}
    return Response(orjson.dumps(answer), status, headers, "application/json")
