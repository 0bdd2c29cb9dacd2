"""`POST /rerank`, `/v1/rerank` and `/v2/rerank`: a query and its `documents`, the best first.

One answer for the clients of all who have such a route. `/rerank` is Infinity's, where a document comes back as it
was sent; the others are Cohere's, Jina's, Voyage's and vLLM's, where a text comes back as an object.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.responses import Response

from encoderfile.service import known_fields
from encoderfile.service.known_fields import FieldError
from encoderfile.service.naming import naming
from encoderfile.service.service import Service
from encoderfile.tasks.abilities import Ability
from encoderfile.transports.http import cohere, failures, schemas
from encoderfile.transports.http.cohere.dialect import CohereMeta, meta, new_id
from encoderfile.transports.http.dialect import Dialect
from encoderfile.transports.http.endpoint import Answer, Call, Endpoint, Form, post
from encoderfile.transports.http.failures import Failure
from encoderfile.transports.http.names import check_given, ids

_PLAIN, _V1, _V2 = "/rerank", "/v1/rerank", "/v2/rerank"

_DOCUMENTS_PER_SEARCH = 100
"""By which Cohere counts searches."""

_Document = str | dict[str, Any]
_Documents = Annotated[
    list[_Document], Meta(min_length=1, description="Texts, or objects with text, or with the fields of rank_fields.")
]
_RankFields = Annotated[
    list[str], Meta(max_length=64, description="What is read of documents that are objects, in this order.")
]
_Top = Annotated[int, Meta(ge=1)]


class RerankRequest(schemas.Truncation, kw_only=True):
    query: str
    documents: _Documents
    model: str | None = None
    top_n: _Top | None = None
    top_k: Annotated[_Top | None, Meta(description="Voyage's name for `top_n`.")] = None
    rank_fields: _RankFields | None = None
    raw_scores: bool | None = None
    return_documents: bool | None = None
    return_text: Annotated[bool | None, Meta(description="Another name of `return_documents`.")] = None
    max_tokens_per_doc: Annotated[int | None, Meta(description="At least the model's limit, or a text's bytes.")] = (
        None
    )
    priority: Annotated[int | None, Meta(description="Ignored: requests take turns.")] = None


class RerankedDocument(Struct):
    index: schemas.Count
    relevance_score: float
    document: _Document | UnsetType = UNSET


class RerankResults(Struct):
    id: str
    model: str
    results: list[RerankedDocument]
    usage: schemas.Usage
    meta: CohereMeta | UnsetType = UNSET
    data: (
        Annotated[list[RerankedDocument], Meta(description="`results` again, for Voyage's clients.")] | UnsetType
    ) = UNSET
    object: Literal["rerank"] | UnsetType = UNSET


class RerankError(Struct):
    """`message` for Cohere's clients, `error` for the others."""

    message: str
    error: str
    error_type: Literal["Validation", "Backend"]


def _fail(failure: Failure) -> Response:
    kind: Literal["Validation", "Backend"] = "Backend" if failure.status >= 500 else "Validation"
    return failure.json(RerankError(failure.message, failure.message, kind))


DIALECT = Dialect(name="Reranking", prefixes=(_PLAIN, _V1), fail=_fail, error=RerankError, statuses=failures.STATUS)


def endpoints(service: Service, forms: Sequence[Form] = ()) -> list[Endpoint]:
    """The routes; `forms` are those of other dialects that have a `/rerank` or a `/v1/rerank`."""

    async def ranked(call: Call, asked: RerankRequest, *, as_sent: bool = False) -> dict[str, Any]:
        if call.body.get("texts") is not None:
            raise FieldError("texts and documents are given together: send one of them", "texts")
        check_given(asked.model, service.info)
        service.check_ability(Ability.SCORE)
        service.limits.check_count(len(asked.documents))
        texts = _texts(asked.documents, asked.rank_fields)
        most, limit = asked.max_tokens_per_doc, service.info.max_length
        known_fields.check_max_tokens(most, "max_tokens_per_doc", texts, limit, service.specials)
        cut = schemas.truncation(call.body, service)
        with naming(documents=len(texts)):
            scored = await call.answering.by(service.score(asked.query, texts, bool(asked.raw_scores), cut))
        best = schemas.best_first(scored.results)[: min(asked.top_n or len(texts), asked.top_k or len(texts))]
        results: list[dict[str, Any]] = []
        for index in best:
            results.append({"index": index, "relevance_score": scored.results[index]})
            if asked.return_documents or asked.return_text:
                sent = asked.documents[index]
                results[-1]["document"] = sent if as_sent or not isinstance(sent, str) else {"text": sent}
        return {
            "id": new_id(),
            "model": service.info.model_id,
            "results": results,
            "usage": schemas.usage(scored.token_count),
        }

    async def plain(call: Call, asked: RerankRequest) -> Answer:
        return Answer({**await ranked(call, asked, as_sent=True), "object": "rerank"})

    async def v1(call: Call, asked: RerankRequest) -> Answer:
        found = await ranked(call, asked)
        return Answer({**found, "meta": _searched("1", asked), "data": found["results"]})

    async def v2(call: Call, asked: RerankRequest) -> Answer:
        return Answer({**await ranked(call, asked), "meta": _searched("2", asked)})

    ways = ((_PLAIN, plain, DIALECT, forms), (_V1, v1, DIALECT, forms), (_V2, v2, cohere.DIALECT, ()))
    return [
        post(
            service,
            dialect,
            path,
            handle,
            name=path.strip("/").replace("/", "_"),
            metric="rerank",
            summary="Texts by relevance",
            request=RerankRequest,
            response=RerankResults,
            forms=of_others,
            supported=Ability.SCORE in service.task.abilities,
            facts={"model": {"enum": ids(service.info)}},
        )
        for path, handle, dialect, of_others in ways
    ]


def _searched(version: str, asked: RerankRequest) -> dict[str, Any]:
    return meta(version, search_units=-(-len(asked.documents) // _DOCUMENTS_PER_SEARCH))


def _texts(documents: Sequence[_Document], rank_fields: Sequence[str] | None) -> list[str]:
    """What is read of each document: a text itself; of an object its fields, with a space between.

    Raises `FieldError` for an object that has none of them, and for one that is no text.
    """
    fields = list(dict.fromkeys(rank_fields or ("text",)))
    return [_text(document, fields, f"documents[{index}]") for index, document in enumerate(documents)]


def _text(document: _Document, fields: Sequence[str], place: str) -> str:
    if isinstance(document, str):
        if list(fields) != ["text"]:
            raise FieldError(
                f"rank_fields are fields of objects, and {place} is a string: leave it out", "rank_fields"
            )
        return document
    parts = [(field, document[field]) for field in fields if field in document]
    if not parts:
        raise FieldError(f"the field {place}.{fields[0]:.200} is missing", "documents")
    for field, value in parts:
        if not isinstance(value, str):
            raise FieldError(f"{place}.{field:.200} should be a string", "documents")
    return " ".join(value for _, value in parts)
