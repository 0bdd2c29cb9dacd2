"""`POST /v1/tokenize` and `/v1/detokenize`: a text as the tokens of this model, without special ones, and back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from msgspec import Meta, Struct

from encoderfile.service import tokens
from encoderfile.service.service import Service
from encoderfile.transports.http.cohere.dialect import DIALECT, CohereMeta, meta
from encoderfile.transports.http.endpoint import Answer, Call, Endpoint, post
from encoderfile.transports.http.names import check_model, ids
from encoderfile.transports.http.schemas import Count
from encoderfile.types import Spelled


class CohereTokenizeRequest(Struct, kw_only=True):
    text: str
    model: str | None = None


class CohereTokenizeResponse(Struct):
    tokens: list[Count]
    token_strings: Annotated[list[str], Meta(description="The parts of the text; together they are the text.")]
    meta: CohereMeta


class CohereDetokenizeRequest(Struct, kw_only=True):
    tokens: list[int]
    model: str | None = None


class CohereDetokenizeResponse(Struct):
    text: str
    meta: CohereMeta


def endpoints(service: Service) -> list[Endpoint]:
    """Both routes."""

    async def tokenize(_: Call, asked: CohereTokenizeRequest) -> Answer:
        if asked.model is not None:
            check_model(asked.model, service.info)
        [found] = await tokens.tokenize(service, [asked.text], False, None, _form)
        return Answer({**found, "meta": meta("1")})

    async def detokenize(_: Call, asked: CohereDetokenizeRequest) -> Answer:
        if asked.model is not None:
            check_model(asked.model, service.info)
        [text] = await tokens.decode(service, [asked.tokens], True)
        return Answer({"text": text, "meta": meta("1")})

    of_model = {"model": {"enum": ids(service.info)}}
    return [
        post(
            service,
            DIALECT,
            "/v1/tokenize",
            tokenize,
            name="v1_tokenize",
            summary="The tokens of a text, as Cohere gives them",
            request=CohereTokenizeRequest,
            response=CohereTokenizeResponse,
            facts=of_model,
        ),
        post(
            service,
            DIALECT,
            "/v1/detokenize",
            detokenize,
            name="v1_detokenize",
            summary="The text of tokens, as Cohere gives it",
            request=CohereDetokenizeRequest,
            response=CohereDetokenizeResponse,
            facts=of_model,
        ),
    ]


def _form(text: str, read: Spelled) -> dict[str, Any]:
    return {
        "tokens": [token_id for _, token_id, _, _ in read.tokens],
        "token_strings": list(_parts(text, read)),
    }


def _parts(text: str, read: Spelled) -> Iterator[str]:
    """For each token the text up to its end, from the end of the one before; what is left goes with the last."""
    last, begin = len(read.tokens) - 1, 0
    for index, (_, _, _, end) in enumerate(read.tokens):
        behind = len(text) if index == last else max(begin, end)
        yield text[begin:behind]
        begin = behind
