"""`sequence_classification`: one label per text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from encoderfile.manifest import Manifest
from encoderfile.tasks import results
from encoderfile.tasks.abilities import Ability, Classification, Extracted
from encoderfile.tasks.entities import WordRules
from encoderfile.tasks.labels import LabelTask
from encoderfile.tasks.numerics import ACTIVATIONS
from encoderfile.tasks.results import Result
from encoderfile.tasks.task import NO_TENSORS, Output, TransformAxes
from encoderfile.tasks.yes_no import AsksYesNo, YesNoSettings
from encoderfile.types import EncodedText, FloatArray, PredictRequest


@dataclass(frozen=True, slots=True)
class SequenceLabels(Result):
    """`logits` and `scores` are float32 [labels]."""

    logits: Annotated[FloatArray, results.floats("What the model gave, one per label.")]
    scores: Annotated[FloatArray, results.floats("One per label: probabilities, or the values of a regression.")]
    predicted_index: Annotated[int, results.index()]
    predicted_label: Annotated[str, results.string()]


class SequenceClassification(LabelTask[SequenceLabels]):
    """Takes `logits` [batch, labels]."""

    name = "sequence_classification"
    result = SequenceLabels
    outputs = (Output("logits", ("batch", "labels")),)
    architectures = ("ForSequenceClassification",)
    classifies = True
    transform = TransformAxes(("batch", "labels"), ("batch", "labels"))
    summary = "Performs sequence classification of input text sequences."
    answer = "for each text the predicted label and a score per label"
    example: ClassVar[Mapping[str, Any]] = {"inputs": ["This product is amazing!"]}

    def __init__(self, manifest: Manifest, tensors: Mapping[str, FloatArray] = NO_TENSORS) -> None:
        super().__init__(manifest, tensors)
        asked = YesNoSettings.of(manifest)
        if asked is not None:
            self.preprocessor = AsksYesNo(asked)
            self.needs_pairs = self.takes_prompt = self.takes_instruction = True

    def postprocess(self, output: FloatArray, batch: Sequence[EncodedText], mask: FloatArray) -> list[SequenceLabels]:
        scores = self.label_scores(output)
        best = output.argmax(axis=-1)
        return [
            SequenceLabels(output[row].copy(), scores[row], int(best[row]), self.labels[best[row]])
            for row in range(len(batch))
        ]

    @property
    def abilities(self) -> frozenset[Ability]:
        """A cross-encoder has one label: its logit says how well the second text of a pair answers the first."""
        if self.needs_pairs:
            return frozenset({Ability.SCORE})
        return super().abilities | ({Ability.SCORE} if len(self.labels) == 1 else set())

    def score_requests(self, query: str, texts: Sequence[str]) -> Sequence[PredictRequest]:
        return [PredictRequest([(query, text) for text in texts], allow_empty=True, raw=True)]

    def scores(self, answers: Sequence[Sequence[SequenceLabels]], raw: bool) -> Iterator[float]:
        """By the activation that the model's files ask for."""
        activation = ACTIVATIONS["identity" if raw else self.manifest.relevance or "sigmoid"]
        (pairs,) = answers
        return (activation(float(each.logits[0])) for each in pairs)

    def extract(self, result: SequenceLabels, text: str, strategy: str, words: WordRules) -> Extracted:
        scores = result.scores.tolist()
        best_first = sorted(range(len(scores)), key=lambda index: -scores[index])
        return Extracted((), tuple(Classification(self.labels[each], scores[each]) for each in best_first))
