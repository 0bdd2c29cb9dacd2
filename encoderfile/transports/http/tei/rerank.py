"""`/rerank` as TEI has it: `texts`, answered with a list, the best first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from encoderfile.errors import EmptyRequestError
from encoderfile.service.naming import naming
from encoderfile.service.service import Service
from encoderfile.tasks.abilities import Ability
from encoderfile.transports.http import schemas
from encoderfile.transports.http.endpoint import Answer, Call, Form
from encoderfile.transports.http.names import check_model
from encoderfile.transports.http.tei.dialect import Operation, Truncating, answered


class TextOfRerank(Struct):
    text: str


class TeiRerankRequest(Truncating, kw_only=True):
    query: str
    texts: list[str | TextOfRerank]
    model: str | None = None
    raw_scores: bool | None = None
    return_text: bool | None = None
    return_documents: Annotated[bool | None, Meta(description="Another name of `return_text`.")] = None
    top_n: Annotated[int, Meta(ge=1)] | None = None


class Rank(Struct):
    index: schemas.Count
    score: float
    text: str | UnsetType = UNSET


def rerank(service: Service) -> Operation:
    """Scores of a cross-encoder, or of a model with vectors made for it."""

    async def handle(call: Call, asked: TeiRerankRequest) -> Answer:
        if asked.model is not None:
            check_model(asked.model, service.info)
        service.check_ability(Ability.SCORE)
        if not asked.texts:
            raise EmptyRequestError("texts is empty: send at least one")
        texts = [each if isinstance(each, str) else each.text for each in asked.texts]
        with naming(texts=len(texts)):
            scored = await call.answering.by(
                service.score(asked.query, texts, bool(asked.raw_scores), schemas.truncation(call.body, service))
            )
        told = bool(asked.return_text or asked.return_documents)
        best = schemas.best_first(scored.results)[: asked.top_n]
        ranks = [
            {"index": index, "score": scored.results[index], **({"text": texts[index]} if told else {})}
            for index in best
        ]
        return answered(call, service, ranks, [asked.query, *texts], scored)

    return Operation(
        request=TeiRerankRequest,
        response=list[Rank],
        handle=handle,
        supported=Ability.SCORE in service.task.abilities,
    )


def form(service: Service) -> Form:
    """On a route that others have too: its texts are called `texts`."""
    return rerank(service).form(_is_meant)


def _is_meant(body: Any) -> bool:
    return isinstance(body, Mapping) and "texts" in body and "documents" not in body
