"""`POST /rerank` and `/v1/rerank`: the bodies of Cohere, Jina and Voyage, whose texts are called `documents`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.responses import Response

from encoderfile.service import known_fields
from encoderfile.service.service import Service
from encoderfile.tasks.abilities import Ability
from encoderfile.transports.http import failures, schemas
from encoderfile.transports.http.dialect import Dialect
from encoderfile.transports.http.endpoint import Answer, Call, Endpoint, Form, post
from encoderfile.transports.http.failures import Failure
from encoderfile.transports.http.names import check_model, ids

PATHS = ("/rerank", "/v1/rerank")


class Document(Struct):
    text: str


_Texts = Annotated[list[str | Document], Meta(min_length=1)]
_Top = Annotated[int, Meta(ge=1)]


class RerankRequest(schemas.Truncation, kw_only=True):
    query: str
    documents: _Texts
    model: str | None = None
    top_n: _Top | None = None
    top_k: Annotated[_Top | None, Meta(description="Voyage's name for `top_n`.")] = None
    raw_scores: bool | None = None
    return_text: bool | None = None
    return_documents: bool | None = None


class RerankedDocument(Struct):
    index: schemas.Count
    relevance_score: float
    document: Document | UnsetType = UNSET


class RerankResults(Struct):
    model: str
    results: list[RerankedDocument]
    usage: schemas.Usage


class RerankError(Struct):
    """`message` for Cohere's clients, `error` for the others."""

    message: str
    error: str
    error_type: Literal["Validation", "Backend"]


def _fail(failure: Failure) -> Response:
    kind: Literal["Validation", "Backend"] = "Backend" if failure.status >= 500 else "Validation"
    return failure.json(RerankError(failure.message, failure.message, kind))


DIALECT = Dialect(prefixes=PATHS, fail=_fail, error=RerankError, statuses=failures.STATUS)


def endpoints(service: Service, forms: Sequence[Form] = ()) -> list[Endpoint]:
    """The same under both paths; `forms` are those of other dialects that have such a route."""

    async def rerank(call: Call, asked: RerankRequest) -> Answer:
        texts = [each if isinstance(each, str) else each.text for each in asked.documents]
        if asked.model is not None:
            check_model(asked.model, service.info)
        service.check_ability(Ability.SCORE)
        cut = known_fields.truncation(call.body, service.info.truncation_side, fixed=service.task.fixed_truncation)
        scored = await call.answering.by(service.score(asked.query, texts, bool(asked.raw_scores), cut))
        best = schemas.best_first(scored.results)[: min(asked.top_n or len(texts), asked.top_k or len(texts))]
        told = bool(asked.return_text or asked.return_documents)
        return Answer(
            {
                "model": service.info.model_id,
                "results": [_document(index, scored.results, texts, told) for index in best],
                "usage": schemas.usage(scored.token_count),
            }
        )

    return [
        post(
            service,
            DIALECT,
            path,
            rerank,
            name=path.strip("/").replace("/", "_"),
            metric="rerank",
            summary="Texts by relevance",
            request=RerankRequest,
            response=RerankResults,
            forms=forms,
            supported=Ability.SCORE in service.task.abilities,
            facts={"model": {"enum": ids(service.info)}},
        )
        for path in PATHS
    ]


def _document(index: int, scores: Sequence[float], texts: Sequence[str], told: bool) -> dict[str, Any]:
    document = {"document": {"text": texts[index]}} if told else {}
    return {"index": index, "relevance_score": scores[index], **document}
