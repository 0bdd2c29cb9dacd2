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
from encoderfile.service.service import Service
from encoderfile.transports.http import body, scoring
from encoderfile.transports.http.names import check_model

PATHS = ("/rerank", "/v1/rerank")

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
            scoring.check(service)
            raw = asked.get("raw_scores") is True
            top = _top(asked.get("top_n"), len(texts))
            scores, prediction = await scoring.score(service, query, texts, raw)
            measured.timing = prediction.timing
            best = scoring.order(scores)[:top]
            headers = {}
            if prediction.truncated_inputs:
                headers["X-Truncated-Inputs"] = str(prediction.truncated_inputs)
            if "documents" not in asked:
                with_text = asked.get("return_text") is True
                rows = [{"index": i, "score": scores[i], **({"text": texts[i]} if with_text else {})} for i in best]
                return _json(rows, headers)
            with_document = asked.get("return_documents") is True
            results = [
                {
                    "index": i,
                    "relevance_score": scores[i],
                    **({"document": {"text": texts[i]}} if with_document else {}),
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


def _top(wanted: object, count: int) -> int:
    if wanted is None:
        return count
    if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 1:
        raise InputError("top_n should be a whole number from 1")
    return wanted


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
