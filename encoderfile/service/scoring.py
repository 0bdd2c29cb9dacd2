"""The scores of texts for a query: of pairs in one request, or by the vectors of both, in groups of texts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import astuple, replace
from typing import Any

from encoderfile.errors import InputError
from encoderfile.service.cooperative import cooperatively
from encoderfile.service.large_answers import sending
from encoderfile.tasks import Task
from encoderfile.types import Prediction, PredictRequest, Timing

Predict = Callable[[PredictRequest], Awaitable[Prediction[Any]]]
Alone = Callable[..., Awaitable[Any]]

_GROUPS_AT_ONCE = 4
"""As many keep their vectors in memory at a time."""


async def scored(
    predict: Predict, alone: Alone, task: Task[Any], requests: Sequence[PredictRequest], raw: bool
) -> Prediction[float]:
    """`requests` are those of `Task.score_requests`; `alone` runs long work in a thread.

    Raises what `predict` raises, the index of a text counted over all groups.
    """
    if len(requests) == 1:
        pairs = await predict(requests[0])
        return replace(pairs, results=await cooperatively(task.scores([pairs.results], raw)))
    # Vectors are not sent: they count as part of a large answer until they are scored. Else groups would wait for
    # those before them, and for the query, until all of the answer has been sent.
    with sending():
        query = await _of_query(predict, requests[0])
    free = asyncio.Semaphore(_GROUPS_AT_ONCE)

    async def of_group(request: PredictRequest, start: int) -> Prediction[float]:
        async with free:
            with sending():
                try:
                    found = await predict(request)
                except InputError as error:
                    error.index = None if error.index is None else start + error.index
                    raise
                scores = await alone(lambda: list(task.scores([query.results, found.results], raw)))
        return replace(found, results=scores)

    starts = [0]
    for request in requests[1:]:
        starts.append(starts[-1] + len(request.inputs))
    groups = [asyncio.ensure_future(of_group(*each)) for each in zip(requests[1:], starts, strict=False)]
    try:
        answers = [query, *await asyncio.gather(*groups)]
    finally:
        for group in groups:
            group.cancel()
    return Prediction(
        [score for answer in answers[1:] for score in answer.results],
        query.model_id,
        truncated_inputs=sum(answer.truncated_inputs for answer in answers),
        token_count=sum(answer.token_count for answer in answers),
        timing=Timing(*map(sum, zip(*(astuple(answer.timing) for answer in answers), strict=True))),
    )


async def _of_query(predict: Predict, request: PredictRequest) -> Prediction[Any]:
    try:
        return await predict(request)
    except InputError as error:
        if error.index is not None:  # it is no fault of the first text
            error.index, error.args = None, (f"the query {error.args[0]}",)
        raise
