"""`POST /rerank` and `/v1/rerank`: the bodies of Cohere and Jina, and that of text-embeddings-inference.

The first has `documents` and is answered with `results`, best first; the second has `texts` and is answered
with a list, best first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from encoderfile.errors import EncoderfileError, InputError, InternalError, Kind
from encoderfile.service import known_fields
from encoderfile.service.service import Service
from encoderfile.tasks.abilities import Ability
from encoderfile.transports.http import body, scoring
from encoderfile.transports.http.names import check_model

PATHS = ("/rerank", "/v1/rerank")

_DONE = frozenset({"top_n", "top_k", "raw_scores", "return_text", "return_documents", *known_fields.TRUNCATION})
"""The known fields that this route does; `top_k` is Voyage's word for `top_n`."""

STATUS: dict[Kind, int] = {
    Kind.INVALID_ARGUMENT: 422,
    Kind.UNAUTHENTICATED: 401,
    Kind.RESOURCE_EXHAUSTED: 503,
    Kind.UNAVAILABLE: 503,
    Kind.INTERNAL: 500,
    Kind.FAILED_PRECONDITION: 500,
}
"""One status per kind."""


def routes(service: Service, max_body_bytes: int) -> list[Route]:
    """The same under both paths."""

    async def rerank(request: Request) -> Response:
        with service.metrics.request("rerank") as measured:
            asked = await body.read_object(request, max_body_bytes)
            query = asked.get("query")
            if not isinstance(query, str):
                raise InputError("query should be a text")
            texts = _texts(asked)
            if asked.get("model") is not None:
                check_model(str(asked["model"]), service.info)
            service.check_ability(Ability.SCORE)
            known_fields.check(asked, _DONE)
            raw = _flag(asked, "raw_scores")
            told = _flag(asked, "return_text") or _flag(asked, "return_documents")
            top = _top(asked, len(texts))
            refuse = known_fields.refuse_overflow(asked, service.info.truncation_side)
            prediction = await service.score(query, texts, raw, refuse)
            measured.timing, scores = prediction.timing, prediction.scores
            best = scoring.order(scores)[:top]
            headers = {}
            if prediction.truncated_inputs:
                headers["X-Truncated-Inputs"] = str(prediction.truncated_inputs)
            if "documents" not in asked:
                rows = [{"index": i, "score": scores[i], **({"text": texts[i]} if told else {})} for i in best]
                return _json(rows, headers)
            results = [
                {
                    "index": i,
                    "relevance_score": scores[i],
                    **({"document": {"text": texts[i]}} if told else {}),
                }
                for i in best
            ]
            usage = {"prompt_tokens": prediction.token_count, "total_tokens": prediction.token_count}
            return _json({"model": service.info.model_id, "results": results, "usage": usage}, headers)

    return [Route(path, rerank, methods=["POST"]) for path in PATHS]


def _texts(asked: Mapping[str, Any]) -> list[str]:
    name = "documents" if "documents" in asked else "texts"
    given = asked.get(name)
    if not isinstance(given, list) or not given:
        raise InputError("send documents or texts: a list of at least one text")
    texts = []
    for index, each in enumerate(given):
        text = each.get("text") if isinstance(each, dict) else each
        if not isinstance(text, str):
            raise InputError(f"{name}[{index}] should be a text, or an object with one")
        texts.append(text)
    return texts


def _flag(asked: Mapping[str, Any], field: str) -> bool:
    value = asked.get(field)
    if value is not None and not isinstance(value, bool):
        raise InputError(f"{field} should be true or false")
    return bool(value)


def _top(asked: Mapping[str, Any], count: int) -> int:
    for field in ("top_n", "top_k"):
        wanted = asked.get(field)
        if wanted is None:
            continue
        if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 1:
            raise InputError(f"{field} should be a whole number from 1")
        count = min(count, wanted)
    return count


def _json(content: Mapping[str, Any] | Sequence[Any], headers: Mapping[str, str]) -> Response:
    return Response(orjson.dumps(content), headers=headers, media_type="application/json")


def refuse(error: Exception) -> Response:
    """The answer to a request that failed: `message` for Cohere's clients, `error` for the others."""
    headers: dict[str, str] = {}
    if isinstance(error, HTTPException):
        status, message, headers = error.status_code, error.detail, dict(error.headers or {})
    else:
        kind = error.kind if isinstance(error, EncoderfileError) else Kind.INTERNAL
        status, message = STATUS[kind], str(error)
        if not isinstance(error, EncoderfileError):
            message = str(InternalError.unforeseen())
        if status == 503:
            headers["Retry-After"] = "1"
        if kind is Kind.UNAUTHENTICATED:
            headers["WWW-Authenticate"] = "Bearer"
    content = {"message": message, "error": message, "error_type": "Backend" if status >= 500 else "Validation"}
    return Response(orjson.dumps(content), status, headers, "application/json")
