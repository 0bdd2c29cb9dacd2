"""How alike the texts of one request are to those of another, or to one another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import astuple, replace
from functools import partial
from typing import Any

from encoderfile.errors import InputError, RequestTooLargeError, UnableError
from encoderfile.service.large_answers import sending
from encoderfile.service.service import Service
from encoderfile.tasks.similarity import SIMILARITIES, comparable, similarity_of, stacked
from encoderfile.types import FloatArray, Prediction, PredictRequest, Timing

_MAX_VALUES = 1 << 24
"""Numbers of the vectors that are compared, also where answers have no limit."""

_NUMBERS_AT_A_TIME = 1 << 24
"""How many are compared before others get their turn: about 10 ms."""


async def similarities(
    service: Service, texts: PredictRequest, others: PredictRequest | None = None, function: str | None = None
) -> Prediction[FloatArray]:
    """How alike each of `texts` is to each of `others`, or without them to each of `texts`.

    One result per text, float32 [others]. What the requests say beside their inputs (prompts, truncation) holds for
    each, and `max_values` of the first for the numbers of the answer; `function` is a name of `SIMILARITIES`, None
    the model's own. Raises what `Service.predict` raises, an index counted over `texts` and then `others`, and
    `UnableError` for a model that gives no vector for a text.
    """
    kind = comparable(service.task)
    if kind is None:
        gives = "a vector for each token" if service.task.dims else "labels"
        raise UnableError(f"Model '{service.info.model_id}' does not support similarity: it gives {gives}")
    name = function or similarity_of(service.task)
    numbers = len(texts.inputs) * len((others or texts).inputs)
    for most in (texts.max_values, service.limits.max_values):
        if most is not None and numbers > most:
            raise RequestTooLargeError(
                f"the answer would hold {numbers} numbers, the most in one answer is {most}: send fewer texts"
            )
    # Vectors are not sent: they count as part of a large answer until they are compared.
    with sending(), service.accepting() as predict:
        answers = await _answers(predict, texts, others, kind)
        results = [result for answer in answers for result in answer.results]
        rows = await service.alone(lambda: stacked(service.task.vectors(kind, results, None), name))
        first, second = (rows, rows) if others is None else (rows[: len(texts.inputs)], rows[len(texts.inputs) :])
        step = max(1, _NUMBERS_AT_A_TIME // max(1, second.size))
        found: list[FloatArray] = []
        for start in range(0, len(first), step):
            found += await service.alone(partial(_compared, name, first[start : start + step], second))
    return Prediction(
        found,
        service.info.model_id,
        truncated_inputs=sum(answer.truncated_inputs for answer in answers),
        token_count=sum(answer.token_count for answer in answers),
        timing=Timing(*map(sum, zip(*(astuple(answer.timing) for answer in answers), strict=True))),
    )


async def _answers(
    predict: Callable[[PredictRequest], Awaitable[Prediction[Any]]],
    texts: PredictRequest,
    others: PredictRequest | None,
    kind: str,
) -> list[Prediction[Any]]:
    """To both, as one request where they ask for the same."""
    texts = replace(texts, raw=True, kinds=(kind,), max_values=_MAX_VALUES)
    if others is None:
        return [await predict(texts)]
    others = replace(others, raw=True, kinds=(kind,), max_values=_MAX_VALUES)
    if texts.inputs and others.inputs and replace(texts, inputs=()) == replace(others, inputs=()):
        return [await predict(replace(texts, inputs=[*texts.inputs, *others.inputs]))]
    with sending():  # while they counted, the others could wait for them
        first = await predict(texts)
    try:
        return [first, await predict(others)]
    except InputError as error:
        error.index = None if error.index is None else error.index + len(texts.inputs)
        raise


def _compared(function: str, rows: FloatArray, others: FloatArray) -> Sequence[FloatArray]:
    return [SIMILARITIES[function](row, others) for row in rows]
