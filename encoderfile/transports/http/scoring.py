"""What `/v1/score` and `/rerank` share: texts scored against a query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from encoderfile.errors import InputError
from encoderfile.service.service import Service
from encoderfile.tasks.sequence_classification import SequenceClassification
from encoderfile.types import Prediction, PredictRequest, Text, Timing


@dataclass
class Scored:
    scores: list[float]
    prediction: Prediction[Any]

    @property
    def timing(self) -> Timing:
        return self.prediction.timing

    @property
    def truncated_inputs(self) -> int:
        return self.prediction.truncated_inputs


def scores(service: Service) -> bool:
    task = service.task
    return isinstance(task, SequenceClassification) and task.is_cross_encoder


def check(service: Service) -> None:
    """Raises `InputError` when the model is no cross-encoder: only one logit of a pair is a score.

    As sentence-transformers' `CrossEncoder.rank` does for several labels: none of them is known to be relevance.
    """
    task = service.task
    if not (isinstance(task, SequenceClassification) and task.is_cross_encoder):
        found = f", and this one has {len(task.labels)}" if isinstance(task, SequenceClassification) else ""
        raise InputError(
            f"Model '{service.info.model_id}' does not support scoring: that takes a cross-encoder, "
            f"a sequence classification model with one label{found}"
        )


async def score(
    service: Service, query: str, texts: Sequence[str], raw: bool = False, refuse_overflow: bool | None = None
) -> Scored:
    """One score per text, in their order; `raw` ones are the model's logits. Raises what `predict` raises.

    `refuse_overflow` is that of `PredictRequest`.
    """
    pairs: list[Text] = [(query, text) for text in texts]
    prediction = await service.predict(PredictRequest(pairs, allow_empty=True, refuse_overflow=refuse_overflow))
    task = service.task
    assert isinstance(task, SequenceClassification)
    return Scored(
        [float(result.logits[0]) if raw else task.relevance(result) for result in prediction.results], prediction
    )


def order(scores: Sequence[float]) -> list[int]:
    """Positions by falling score; equal ones keep their order."""
    return sorted(range(len(scores)), key=lambda index: -scores[index])
