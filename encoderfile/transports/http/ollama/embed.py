"""`POST /api/embed` and the older `/api/embeddings`: vectors of texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from msgspec import Meta, Struct

from encoderfile.service import dimensions, known_fields
from encoderfile.service.known_fields import FieldError
from encoderfile.service.naming import naming
from encoderfile.service.service import Service
from encoderfile.tasks.abilities import Ability
from encoderfile.transports.http import schemas
from encoderfile.transports.http.endpoint import Answer, Call, Endpoint, post
from encoderfile.transports.http.ollama.dialect import DIALECT, check_name
from encoderfile.transports.http.schemas import Count
from encoderfile.types import FloatArray, Prediction, PredictRequest

_Options = Annotated[
    dict[str, Any],
    Meta(description="Those of text generation change no vector. num_ctx: the model's limit, or a text's bytes."),
]
_KeepAlive = Annotated[Any, Meta(description="Ignored: the model stays loaded.")]


class OllamaEmbedRequest(Struct, kw_only=True):
    model: str
    input: str | list[str] | None = None
    truncate: bool | None = None
    dimensions: int | None = None
    options: _Options | None = None
    keep_alive: _KeepAlive = None


class OllamaEmbedResponse(Struct):
    """Durations are nanoseconds."""

    model: str
    embeddings: list[list[float]]
    total_duration: Count
    load_duration: Count
    prompt_eval_count: Count


class OllamaEmbeddingsRequest(Struct, kw_only=True):
    model: str
    prompt: Annotated[str | None, Meta(description="The text.")] = None
    options: _Options | None = None
    keep_alive: _KeepAlive = None


class OllamaEmbeddingsResponse(Struct):
    embedding: list[float]


def endpoints(service: Service) -> list[Endpoint]:
    """Both routes."""

    async def embed(call: Call, asked: OllamaEmbedRequest) -> Answer:
        texts = [asked.input] if isinstance(asked.input, str) and asked.input else list(asked.input or ())
        _check(asked, texts, service)
        kept = dimensions.read(asked.dimensions or None, service)
        vectors: Iterator[FloatArray] = iter(())
        tokens = 0
        if texts:
            prediction = await _predicted(call, service, texts)
            # Of unit length always, as this route of Ollama's has them.
            vectors = service.task.vectors("dense", prediction.results, True)
            tokens = prediction.token_count
        return Answer(
            {
                "model": asked.model,
                "embeddings": dimensions.beginnings(vectors, kept, True),
                "total_duration": round(1e9 * call.answering.seconds),
                "load_duration": 0,
                "prompt_eval_count": tokens,
            }
        )

    async def embeddings(call: Call, asked: OllamaEmbeddingsRequest) -> Answer:
        texts = [asked.prompt] if asked.prompt else []
        _check(asked, texts, service)
        if not texts:
            return Answer({"embedding": []})
        prediction = await _predicted(call, service, texts)
        (vector,) = service.task.vectors("dense", prediction.results, None)
        return Answer({"embedding": vector})

    described: dict[str, Any] = {"metric": "embeddings", "supported": Ability.DENSE in service.task.abilities}
    size = max(service.task.dims.get("dense", 1), 1)
    return [
        post(
            service,
            DIALECT,
            "/api/embed",
            embed,
            name="api_embed",
            summary="Embeddings, as Ollama gives them",
            request=OllamaEmbedRequest,
            response=OllamaEmbedResponse,
            facts={"dimensions": {"minimum": 0, "maximum": size}},
            **described,
        ),
        post(
            service,
            DIALECT,
            "/api/embeddings",
            embeddings,
            name="api_embeddings",
            summary="The embedding of one text, as Ollama gave it at first",
            request=OllamaEmbeddingsRequest,
            response=OllamaEmbeddingsResponse,
            **described,
        ),
    ]


def _check(asked: OllamaEmbedRequest | OllamaEmbeddingsRequest, texts: Sequence[str], service: Service) -> None:
    """Raises `ModelNotFoundError`, `UnableError` and `FieldError`."""
    check_name(asked.model, service.info)
    service.check_ability(Ability.DENSE)
    num_ctx = (asked.options or {}).get("num_ctx")
    if not isinstance(num_ctx, int | None):
        raise FieldError("options.num_ctx should be a whole number", "options")
    known_fields.check_max_tokens(num_ctx, "options.num_ctx", texts, service.info.max_length, service.specials)


async def _predicted(call: Call, service: Service, texts: list[str]) -> Prediction[Any]:
    cut = schemas.truncation(call.body, service)
    request = PredictRequest(texts, allow_empty=True, truncation=cut, raw=True)
    with naming(input=len(texts)):
        return await call.answering.by(service.predict(request))
