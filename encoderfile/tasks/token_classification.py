"""`token_classification`: one label per token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from encoderfile.tasks.base import FLOATS, TOKEN_INFO, JsonSchema, LabelTask
from encoderfile.types import EncodedText, FloatArray, ModelType, TokenLabels


class TokenClassification(LabelTask[TokenLabels]):
    """Takes `logits` [batch, tokens, labels]; special tokens and padding are left out."""

    model_type = ModelType.TOKEN_CLASSIFICATION
    needs_tokens = True
    summary = "Performs token classification of input text sequences."

    @classmethod
    def expected_output(cls) -> str:
        return "logits [batch, tokens, labels]"

    def postprocess(self, output: FloatArray, batch: Sequence[EncodedText], mask: FloatArray) -> list[TokenLabels]:
        real = mask.astype(bool)
        return [self._labels(rows[keep], text) for rows, keep, text in zip(output, real, batch, strict=True)]

    def values(self, text: EncodedText) -> int:
        return 2 * self.manifest.width * len(text)

    def _labels(self, logits: FloatArray, text: EncodedText) -> TokenLabels:
        keep = text.special_tokens_mask == 0
        logits = logits[keep]
        scores = self.scores(logits)
        best = logits.argmax(axis=-1)
        return TokenLabels(
            tokens=tuple(token for token, kept in zip(text.tokens, keep, strict=True) if kept),
            logits=logits,
            scores=scores,
            labels=tuple(self.labels[index] for index in best),
            score=scores[range(len(best)), best],
        )

    def to_json(self, result: TokenLabels) -> dict[str, Any]:
        rows = zip(result.tokens, result.logits, result.scores, result.labels, result.score, strict=True)
        return {
            "tokens": [
                {
                    "token_info": token._asdict(),
                    "logits": logits,
                    "scores": scores,
                    "label": label,
                    "score": score,
                }
                for token, logits, scores, label, score in rows
            ]
        }

    @classmethod
    def result_schema(cls) -> JsonSchema:
        token = {
            "type": "object",
            "properties": {
                "token_info": TOKEN_INFO,
                "logits": {**FLOATS, "description": "What the model gave, one per label."},
                "scores": {**FLOATS, "description": "Probabilities, one per label."},
                "label": {"type": "string"},
                "score": {"type": "number", "description": "The probability of `label`."},
            },
            "required": ["token_info", "logits", "scores", "label", "score"],
        }
        return {
            "type": "object",
            "properties": {
                "tokens": {
                    "type": "array",
                    "items": token,
                    "description": "One per token, special tokens left out.",
                }
            },
            "required": ["tokens"],
        }
