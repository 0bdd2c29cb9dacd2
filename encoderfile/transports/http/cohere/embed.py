"""`POST /v1/embed` and `/v2/embed`: vectors of texts in each of the forms that Cohere's clients ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from encoderfile.service import dimensions, known_fields
from encoderfile.service.cooperative import cooperatively
from encoderfile.service.known_fields import FieldError
from encoderfile.service.naming import naming
from encoderfile.service.service import Service
from encoderfile.tasks.abilities import Ability
from encoderfile.transports.http import schemas
from encoderfile.transports.http.cohere.dialect import DIALECT, CohereMeta, meta, new_id
from encoderfile.transports.http.endpoint import Answer, Call, Endpoint, post
from encoderfile.transports.http.names import check_model, ids
from encoderfile.transports.http.vectors import FORMS, EmbeddingType
from encoderfile.types import DEFAULT_PROMPT, AskedPrompt, FloatArray, ModelInfo, PredictRequest

_SAME = ("classification", "clustering")
"""Purposes that texts have all alike, so that a model needs no prompt for them."""

InputType = Literal["search_query", "search_document", "classification", "clustering"]

_IMAGES = "Refused: this model reads texts."


class CohereEmbedRequest(Struct, kw_only=True):
    texts: list[str] | None = None
    images: Annotated[list[Any] | None, Meta(description=_IMAGES)] = None
    model: str | None = None
    input_type: InputType | None = None
    embedding_types: Annotated[list[EmbeddingType], Meta(max_length=16)] | None = None
    truncate: Literal["NONE", "START", "END"] | None = None


class CohereEmbedContent(Struct, kw_only=True, gc=False):  # there may be many
    type: Literal["text", "image_url"]
    text: str | None = None
    image_url: Annotated[Any, Meta(description=_IMAGES)] = None


class CohereEmbedInput(Struct, gc=False):
    content: Annotated[
        list[CohereEmbedContent], Meta(min_length=1, max_length=256, description="Read as one text, a line each.")
    ]


class CohereEmbedV2Request(CohereEmbedRequest, kw_only=True):
    inputs: list[CohereEmbedInput] | None = None
    output_dimension: int | None = None
    max_tokens: Annotated[int | None, Meta(description="At least the model's limit, or a text's bytes.")] = None
    priority: Annotated[int | None, Meta(description="Ignored: requests take turns.")] = None


class CohereEmbeddings(Struct, kw_only=True, omit_defaults=True, rename={"float_": "float"}):
    float_: list[list[float]] | None = None
    int8: list[list[int]] | None = None
    uint8: list[list[int]] | None = None
    binary: list[list[int]] | None = None
    ubinary: list[list[int]] | None = None
    base64: list[str] | None = None


class CohereEmbedResponse(Struct):
    """`embeddings` is a list where a request to `/v1/embed` names no `embedding_types`."""

    response_type: Literal["embeddings_floats", "embeddings_by_type"]
    id: str
    embeddings: list[list[float]] | CohereEmbeddings
    texts: list[str]
    meta: CohereMeta


def endpoints(service: Service) -> list[Endpoint]:
    """Both versions."""

    async def v1(call: Call, asked: CohereEmbedRequest) -> Answer:
        vectors, tokens = await _vectors(call, service, asked, _texts(asked))
        by_type = bool(asked.embedding_types)
        found = _by_type(asked, vectors) if by_type else iter(vectors)
        return _answer("1", found, by_type, _texts(asked), tokens)

    async def v2(call: Call, asked: CohereEmbedV2Request) -> Answer:
        service.limits.check_count(len(asked.inputs or ()))
        texts = _texts(asked, asked.inputs)
        known_fields.check_max_tokens(
            asked.max_tokens, "max_tokens", texts, service.info.max_length, service.specials
        )
        vectors, tokens = await _vectors(call, service, asked, texts, asked.output_dimension)
        return _answer("2", _by_type(asked, vectors), True, texts, tokens)

    size = max(service.task.dims.get("dense", 1), 1)
    of_model = {"model": {"enum": ids(service.info)}}
    of_v2 = {**of_model, "output_dimension": {"minimum": 1, "maximum": size}}
    described: dict[str, Any] = {
        "summary": "Embeddings, as Cohere gives them",
        "metric": "embeddings",
        "response": CohereEmbedResponse,
        "example": {"texts": list(service.task.example["inputs"])},
        "supported": Ability.DENSE in service.task.abilities,
    }
    return [
        post(
            service,
            DIALECT,
            "/v1/embed",
            v1,
            name="v1_embed",
            request=CohereEmbedRequest,
            facts=of_model,
            **described,
        ),
        post(
            service, DIALECT, "/v2/embed", v2, name="v2_embed", request=CohereEmbedV2Request, facts=of_v2, **described
        ),
    ]


async def _vectors(
    call: Call, service: Service, asked: CohereEmbedRequest, texts: Sequence[str], output_dimension: int | None = None
) -> tuple[list[FloatArray], int]:
    """One vector per text, and how many tokens all have together."""
    if asked.model is not None:
        check_model(asked.model, service.info)
    service.check_ability(Ability.DENSE)
    kept = dimensions.read(output_dimension, service, "output_dimension")
    request = PredictRequest(
        texts,
        allow_empty=True,
        truncation=schemas.truncation(call.body, service),
        prompt=_prompt(asked.input_type, service.info),
        raw=True,
    )
    with naming(**{"texts" if asked.texts else "inputs": len(texts)}):
        prediction = await call.answering.by(service.predict(request))
    vectors = service.task.vectors("dense", prediction.results, None)
    beginnings = dimensions.beginnings(vectors, kept, service.task.normalizes)
    return await cooperatively(beginnings), prediction.token_count


def _texts(asked: CohereEmbedRequest, inputs: Sequence[CohereEmbedInput] | None = None) -> list[str]:
    """Raises `FieldError` for none, and for pictures."""
    if asked.images:
        raise FieldError("images cannot be embedded, this model reads texts: send texts", "images")
    if asked.texts and inputs:
        raise FieldError("texts and inputs are given together: send one of them", "inputs")
    texts = asked.texts or [_text(each, f"inputs[{index}]") for index, each in enumerate(inputs or ())]
    if not texts:
        raise FieldError("texts is empty: send at least one", "texts")
    return texts


def _text(given: CohereEmbedInput, place: str) -> str:
    for index, each in enumerate(given.content):
        if each.text is None or each.type != "text":
            raise FieldError(f"{place}.content[{index}] should be a text: this model reads nothing else", "inputs")
    return "\n".join(each.text or "" for each in given.content)


def _prompt(input_type: InputType | None, info: ModelInfo) -> AskedPrompt:
    """A purpose that only some models have a prompt for leaves others as they are without any."""
    if input_type is None:
        return DEFAULT_PROMPT
    if input_type not in _SAME:
        return AskedPrompt(input_type=input_type)
    name = next((each for each in info.prompts if each.casefold() == input_type), None)
    return DEFAULT_PROMPT if name is None else AskedPrompt(name=name)


def _by_type(asked: CohereEmbedRequest, vectors: Sequence[FloatArray]) -> Mapping[str, Any]:
    kinds: Sequence[EmbeddingType] = asked.embedding_types or ["float"]
    return {kind: map(FORMS[kind], vectors) for kind in kinds}


def _answer(version: str, embeddings: Any, by_type: bool, texts: Sequence[str], tokens: int) -> Answer:
    return Answer(
        {
            "response_type": "embeddings_by_type" if by_type else "embeddings_floats",
            "id": new_id(),
            "embeddings": embeddings,
            "texts": texts,
            "meta": meta(version, input_tokens=tokens),
        }
    )
