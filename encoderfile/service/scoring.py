"""Scores of texts for a query: asks what the task asks of the model, and bounds what is in memory meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from encoderfile.errors import InputError
from encoderfile.service.cooperative import cooperatively
from encoderfile.tasks import Task
from encoderfile.types import Prediction, PredictRequest, Timing

Ask = Callable[[PredictRequest], Awaitable[Prediction[Any]]]


async def scored(task: Task[Any], requests: Sequence[PredictRequest], raw: bool, ask: Ask) -> Prediction[float]:
    """`requests` are those of `Task.score_requests`, in whose texts the index of an `InputError` counts."""
    first, *others = requests
    if not others:
        answer = await ask(first)
        return _prediction(await cooperatively(task.scores([answer.results], raw)), [answer])
    scores: list[float] = []
    answers: list[Prediction[Any]] = []
    query, answer = await _both(_of_query(ask(first)), _counting(ask(others[0]), 0))
    for position, request in enumerate(others):
        if position:
            answer = await _counting(ask(request), len(scores))
        scores += await cooperatively(task.scores([query.results, answer.results], raw))
        answers.append(_without_results(answer))
    return _prediction(scores, [_without_results(query), *answers])


async def _both(*asked: Awaitable[Prediction[Any]]) -> Sequence[Prediction[Any]]:
    tasks = [asyncio.ensure_future(each) for each in asked]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for each in tasks:
            each.cancel()


async def _of_query(answer: Awaitable[Prediction[Any]]) -> Prediction[Any]:
    try:
        return await answer
    except InputError as error:
        error.index = None
        error.args = (f"the query {error.args[0]}",)
        raise


async def _counting(answer: Awaitable[Prediction[Any]], start: int) -> Prediction[Any]:
    try:
        return await answer
    except InputError as error:
        error.index = None if error.index is None else start + error.index
        raise


def _without_results(answer: Prediction[Any]) -> Prediction[Any]:
    return Prediction((), answer.model_id, None, answer.truncated_inputs, answer.token_count, answer.timing)


def _prediction(scores: Sequence[float], answers: Sequence[Prediction[Any]]) -> Prediction[float]:
    """`scores`, and what the answers took together; the first of several is asked beside the second."""
    timings = [each.timing for each in answers[-max(1, len(answers) - 1) :]]
    return Prediction(
        scores,
        answers[0].model_id,
        truncated_inputs=sum(each.truncated_inputs for each in answers),
        token_count=sum(each.token_count for each in answers),
        timing=Timing(
            tokenization=sum(each.tokenization for each in timings),
            queue=sum(each.queue for each in timings),
            inference=sum(each.inference for each in timings),
        ),
    )
