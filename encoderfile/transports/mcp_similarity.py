"""MCP's tools for models that compare texts: `similarity` and `rank`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from encoderfile.errors import InputError
from encoderfile.service.metrics import Answering
from encoderfile.service.naming import naming
from encoderfile.service.prompts import DOCUMENT, QUERY
from encoderfile.service.requests import json_schema, read
from encoderfile.service.service import Service
from encoderfile.service.similarity import similarities
from encoderfile.tasks.abilities import Ability
from encoderfile.tasks.similarity import comparable, similarity_of
from encoderfile.transports.mcp_tool import Arguments, Tool, arguments_schema, limit, rounded
from encoderfile.types import AskedPrompt, Prediction, PredictRequest

_Texts = Annotated[list[Annotated[str, Meta(extra_json_schema={"minLength": 1})]], Meta(min_length=1)]

MAX_PAIRS = 1 << 18
"""Of texts that are compared in one call, which makes 5 MB of JSON."""

TOP_N = 10
"""Documents in the answer where a call does not say how many."""


class SimilarityRequest(Struct, forbid_unknown_fields=True):
    texts: Annotated[_Texts, Meta(description="The texts to compare.")]
    other_texts: Annotated[
        _Texts | None,
        Meta(
            description="What each of the texts is compared with. Left out: the texts are compared with one another."
        ),
    ] = None


class SimilarityResponse(Struct):
    similarities: Annotated[
        list[list[float]],
        Meta(description="A row for each text, with a number for each other text: the larger, the more alike."),
    ]
    function: Literal["cosine", "dot", "euclidean", "manhattan"]


class RankRequest(Struct, forbid_unknown_fields=True):
    query: Annotated[str, Meta(description="What is looked for.", extra_json_schema={"minLength": 1})]
    documents: Annotated[list[str], Meta(min_length=1, description="The texts to rank.")]
    top_n: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description=f"How many documents are returned. Left out: {TOP_N}."),
    ] = None


class RankedDocument(Struct):
    index: Annotated[int, Meta(ge=0, description="The place of the document among those of the call, from 0.")]
    score: float
    document: str


class RankResponse(Struct):
    results: Annotated[list[RankedDocument], Meta(description="The best first.")]


_SCALES = {
    "cosine": "from -1 to 1",
    "dot": "the dot product of their vectors",
    "euclidean": "the Euclidean distance of their vectors, negative",
    "manhattan": "the Manhattan distance of their vectors, negative",
}


def tools(service: Service) -> Iterator[Tool]:
    """Those that this model has."""
    if comparable(service.task) is not None:
        yield _similarity(service)
    # Some files lack the part of the model that reads queries, or documents.
    if Ability.SCORE in service.task.abilities or (
        comparable(service.task) and not service.task.manifest.other_routes
    ):
        yield _rank(service)


def _similarity(service: Service) -> Tool:
    function = similarity_of(service.task)

    async def call(arguments: Arguments, answering: Answering) -> Mapping[str, Any]:
        asked = read(arguments, SimilarityRequest)
        texts = PredictRequest(asked.texts, max_values=MAX_PAIRS)
        others = None if asked.other_texts is None else PredictRequest(asked.other_texts)
        with naming(texts=len(asked.texts), other_texts=len(asked.other_texts or ())):
            found = await answering.by(similarities(service, texts, others))
        return {"similarities": iter(found.results), "function": function}

    return Tool(
        "similarity",
        "Similarity of texts",
        f"Says how alike texts are in meaning, by the model {service.info.model_id}: a number for each pair, "
        f"{_SCALES[function]}; the larger, the more alike. {limit(service.info, service.refuses_overflow)} "
        'Example arguments: {"texts":["How do I reset my password?"],"other_texts":["Password recovery steps",'
        '"Opening hours"]}',
        arguments_schema(SimilarityRequest),
        json_schema(SimilarityResponse),
        call,
    )


def _rank(service: Service) -> Tool:
    async def call(arguments: Arguments, answering: Answering) -> Mapping[str, Any]:
        asked = read(arguments, RankRequest)
        if not asked.query:
            raise InputError("query is empty")
        scores = await answering.by(_scores(service, asked.query, asked.documents))
        best = sorted(range(len(asked.documents)), key=lambda index: -scores.results[index])
        documents = asked.documents
        return {
            "results": (
                {"index": index, "score": rounded(scores.results[index]), "document": documents[index]}
                for index in best[: asked.top_n or TOP_N]
            )
        }

    return Tool(
        "rank",
        "Rank documents",
        f"Ranks documents by how well they answer a query, by the model {service.info.model_id}: the best first, "
        f"each with its score and its place in the list. {limit(service.info, service.refuses_overflow)} "
        'Example arguments: {"query":"How do I reset my password?","documents":["Opening hours",'
        '"Password recovery steps"],"top_n":1}',
        arguments_schema(RankRequest),
        json_schema(RankResponse),
        call,
    )


async def _scores(service: Service, query: str, documents: list[str]) -> Prediction[float]:
    """By what the model was made for: its scores, or the vectors of query and documents, each with their prompt."""
    with naming(documents=len(documents)):
        if Ability.SCORE in service.task.abilities:
            return await service.score(query, documents)
        one = PredictRequest([query], prompt=AskedPrompt(input_type=QUERY), allow_empty=True)
        many = PredictRequest(documents, prompt=AskedPrompt(input_type=DOCUMENT), allow_empty=True)
        try:
            found: Prediction[Any] = await similarities(service, one, many)
        except InputError as error:
            if error.index == 0:
                error.index, error.args = None, (f"the query {error.args[0]}",)
            elif error.index is not None:
                error.index -= 1
            raise
    return replace(found, results=found.results[0].tolist())
