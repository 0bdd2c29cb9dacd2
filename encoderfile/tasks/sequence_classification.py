"""`sequence_classification`: one label per text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from encoderfile.tasks.activations import ACTIVATIONS
from encoderfile.tasks.base import FLOATS, JsonSchema, LabelTask
from encoderfile.types import EncodedText, FloatArray, ModelType, SequenceLabels


class SequenceClassification(LabelTask[SequenceLabels]):
    """Takes `logits` [batch, labels]."""

    model_type = ModelType.SEQUENCE_CLASSIFICATION
    needs_tokens = False
    summary = "Performs sequence classification of input text sequences."

    @classmethod
    def expected_output(cls) -> str:
        return "logits [batch, labels]"

    def postprocess(self, output: FloatArray, batch: Sequence[EncodedText], mask: FloatArray) -> list[SequenceLabels]:
        scores = self.scores(output)
        best = output.argmax(axis=-1)
        return [
            SequenceLabels(output[row].copy(), scores[row], int(best[row]), self.labels[best[row]])
            for row in range(len(batch))
        ]

    def values(self, text: EncodedText) -> int:
        return 2 * self.manifest.width

    @property
    def is_cross_encoder(self) -> bool:
        """Whether the one logit of a pair says how well its second text answers the first."""
        return len(self.labels) == 1

    def relevance(self, result: SequenceLabels) -> float:
        """A cross-encoder's score, by the activation that the model's files ask for."""
        return ACTIVATIONS[self.manifest.relevance or "sigmoid"](float(result.logits[0]))

    def to_json(self, result: SequenceLabels) -> dict[str, Any]:
        return {
            "logits": result.logits,
            "scores": result.scores,
            "predicted_index": result.predicted_index,
            "predicted_label": result.predicted_label,
        }

    @classmethod
    def result_schema(cls) -> JsonSchema:
        return {
            "type": "object",
            "properties": {
                "logits": {**FLOATS, "description": "What the model gave, one per label."},
                "scores": {**FLOATS, "description": "One per label: probabilities, or the values of a regression."},
                "predicted_index": {"type": "integer", "minimum": 0},
                "predicted_label": {"type": "string"},
            },
            "required": ["logits", "scores", "predicted_index", "predicted_label"],
        }
