"""`POST /v1/embeddings` and `/embeddings`, as OpenAI's clients speak it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct
from starlette.responses import Response

from encoderfile.errors import Kind, TokenIdsError, UnableError
from encoderfile.service import dimensions, prompts
from encoderfile.service.dimensions import UnsupportedFieldError
from encoderfile.service.known_fields import FieldError
from encoderfile.service.naming import naming
from encoderfile.service.service import Service
from encoderfile.tasks.abilities import Ability
from encoderfile.transports.http import failures, schemas
from encoderfile.transports.http.dialect import Dialect
from encoderfile.transports.http.endpoint import Answer, Call, Endpoint, post
from encoderfile.transports.http.failures import Failure
from encoderfile.transports.http.names import ModelNotFoundError, check_given, ids
from encoderfile.transports.http.vectors import base64_of
from encoderfile.types import FloatArray, Input, PredictRequest, TokenIds

CODES: dict[Kind, str] = {
    Kind.INVALID_ARGUMENT: "invalid_request",
    Kind.UNAUTHENTICATED: "invalid_api_key",
    Kind.RESOURCE_EXHAUSTED: "queue_full",
    Kind.UNAVAILABLE: "server_stopping",
    Kind.INTERNAL: "inference_error",
    Kind.FAILED_PRECONDITION: "internal_error",
}
"""One code per kind."""

_OF_ANOTHER_TOKENIZER = "in LangChain that is OpenAIEmbeddings(..., check_embedding_ctx_length=False)"

PATHS = ("/v1/embeddings", "/embeddings")

_Ids = list[int]
_INPUT = "A text, or token ids of this model's tokenizer with its special tokens; or a list of those."


class EmbeddingsRequest(schemas.Prompt, kw_only=True):
    input: Annotated[str | Annotated[list[str | int | _Ids], Meta(min_length=1)], Meta(description=_INPUT)]
    model: str | None = None
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: int | None = None
    modality: Annotated[Literal["text"] | None, Meta(description="Infinity's word for what `input` is.")] = None
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


def _fail(failure: Failure) -> Response:
    error, field = failure.error, failure.field
    if isinstance(error, ModelNotFoundError):
        code = "model_not_found"
    elif isinstance(error, UnsupportedFieldError):
        code = "unsupported_field"
    else:
        code = CODES[failure.kind or Kind.INVALID_ARGUMENT]
    message = failure.message
    if failure.has_no_route:
        code, message = "not_found", failures.NO_ROUTE
    if isinstance(error, UnableError):
        field = "model"
    if isinstance(error, TokenIdsError):
        message = f"{message}; {_OF_ANOTHER_TOKENIZER}"
    kind: Literal["server_error", "invalid_request_error"]
    kind = "server_error" if failure.status >= 500 else "invalid_request_error"
    return failure.json(OpenAIError(OpenAIFault(message, kind, field, code)))


_GENERATION = ("/v1/chat/", "/v1/completions", "/v1/responses", "/v1/moderations", "/v1/images", "/v1/audio")
"""Routes that OpenAI's clients try, and no encoder has."""

DIALECT = Dialect(
    name="OpenAI", prefixes=(*PATHS, *_GENERATION), fail=_fail, error=OpenAIError, statuses=failures.BAD_REQUEST
)


def endpoints(service: Service) -> list[Endpoint]:
    """The same under both paths."""

    async def embeddings(call: Call, asked: EmbeddingsRequest) -> Answer:
        check_given(asked.model, service.info)
        service.check_ability(Ability.DENSE)
        all_of_them = asked.modality is not None and asked.dimensions == 0  # as Infinity's clients say it
        kept = dimensions.read(None if all_of_them else asked.dimensions, service)
        cut = schemas.truncation(call.body, service)
        inputs = inputs_of(asked.input)
        request = PredictRequest(inputs, allow_empty=True, truncation=cut, prompt=prompts.read(call.body), raw=True)
        with naming(input=len(inputs)):
            prediction = await call.answering.by(service.predict(request))
        vectors = service.task.vectors("dense", prediction.results, None)
        beginnings = dimensions.beginnings(vectors, kept, service.task.normalizes)
        form = base64_of if asked.encoding_format == "base64" else _floats
        return Answer(
            {
                "object": "list",
                "data": (
                    {"object": "embedding", "index": index, "embedding": form(vector)}
                    for index, vector in enumerate(beginnings)
                ),
                "model": asked.model or service.info.model_id,
                "usage": schemas.usage(prediction.token_count),
            }
        )

    return [
        post(
            service,
            DIALECT,
            path,
            embeddings,
            name=path.strip("/").replace("/", "_"),
            metric="embeddings",
            summary="Embeddings, as OpenAI gives them",
            request=EmbeddingsRequest,
            response=EmbeddingsResponse,
            supported=Ability.DENSE in service.task.abilities,
            facts={
                "model": {"enum": ids(service.info)},
                "dimensions": {"minimum": 1, "maximum": max(service.task.dims.get("dense", 1), 1)},
                **schemas.prompt_facts(prompts.names_of(service.task, service.info)),
            },
        )
        for path in PATHS
    ]


def inputs_of(given: str | Sequence[str | int | _Ids]) -> list[Input]:
    """One input, or several: texts and lists of token ids. Raises `FieldError` for single ids among others."""
    if isinstance(given, str):
        return [given]
    if all(isinstance(each, int) for each in given):
        return [TokenIds(given)]  # type: ignore[arg-type]
    found: list[Input] = []
    for index, each in enumerate(given):
        if isinstance(each, int):
            raise FieldError(f"input[{index}] is a number, and others are not: send texts, or lists of ids", "input")
        found.append(each if isinstance(each, str) else TokenIds(each))
    return found


def _floats(vector: FloatArray) -> FloatArray:
    return vector
