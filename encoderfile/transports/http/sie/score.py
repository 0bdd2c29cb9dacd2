"""`POST /v1/score/{model}`: how well each item answers a query, by a cross-encoder."""

from __future__ import annotations

from msgspec import Struct

from encoderfile.service.service import Service
from encoderfile.tasks.abilities import Ability
from encoderfile.transports.http.endpoint import Answer, Call, Endpoint, post
from encoderfile.transports.http.schemas import Count, best_first
from encoderfile.transports.http.sie.dialect import DIALECT, times
from encoderfile.transports.http.sie.requests import Item, Items, Options, check_options, model_of, texts


class ScoreRequest(Struct, kw_only=True):
    query: Item
    items: Items
    instruction: str | None = None
    options: Options | None = None


class ItemScore(Struct):
    item_id: str
    score: float
    rank: Count


class ScoreResponse(Struct):
    model: str
    query_id: str | None
    scores: list[ItemScore]


def endpoint(service: Service) -> Endpoint:
    """The route."""

    async def score(call: Call, asked: ScoreRequest) -> Answer:
        name = model_of(call, service)
        query, items = texts([asked.query])[0], texts(asked.items)
        service.check_ability(Ability.SCORE)
        check_options(asked.options, service.info)
        scored = await call.answering.by(service.score(query, items, instruction=asked.instruction))
        ranked = [
            {"item_id": asked.items[index].id or f"item-{index}", "score": scored.results[index], "rank": rank}
            for rank, index in enumerate(best_first(scored.results))
        ]
        headers = times(call.answering).headers()
        return Answer({"model": name, "query_id": asked.query.id, "scores": ranked}, headers)

    return post(
        service,
        DIALECT,
        "/v1/score/{model}",
        score,
        name="score",
        summary="Scores of texts for a query, as SIE",
        request=ScoreRequest,
        response=ScoreResponse,
        supported=Ability.SCORE in service.task.abilities,
    )
