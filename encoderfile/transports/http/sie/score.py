"""`POST /v1/score/{model}`: how well each item answers a query, by a cross-encoder."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from encoderfile.errors import InputError
from encoderfile.service import known_fields
from encoderfile.service.service import Service
from encoderfile.tasks.abilities import Ability
from encoderfile.transports.http import scoring
from encoderfile.transports.http.names import check_model
from encoderfile.transports.http.sie import wire
from encoderfile.transports.http.sie.items import check_machine, read_item, read_items, read_options, typed
from encoderfile.transports.http.sie.timing import times


def route(service: Service, max_body_bytes: int) -> Route:
    """The route."""

    async def score(request: Request) -> Response:
        with service.metrics.request("score") as measured:
            check_machine(request.headers, service.device)
            body = await wire.read(request, max_body_bytes)
            if body.get("query") is None:
                raise InputError("the field query is missing: send an object with a text")
            query, items = read_item(body["query"], "query"), read_items(body)
            instruction = typed(body, "instruction", str)
            name = request.path_params["model"]
            check_model(name, service.info)
            service.check_ability(Ability.SCORE)
            known_fields.check(body, ("instruction",))
            known_fields.check(read_options(body, service.info), (), "options.")
            text = f"{instruction} {query.text}" if instruction else query.text
            found = await service.score(text, [item.text for item in items])
            measured.timing, scores = found.timing, found.scores
            took = times(measured, found.timing)
            ranked = [
                {"item_id": items[index].id or f"item-{index}", "score": scores[index], "rank": rank}
                for rank, index in enumerate(scoring.order(scores))
            ]
            content = {"model": name, "query_id": query.id, "scores": ranked}
            return await wire.answer(request, content, took.headers(found.truncated_inputs))

    return Route("/v1/score/{model:path}", score, methods=["POST"])
