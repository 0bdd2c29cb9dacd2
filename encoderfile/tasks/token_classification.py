"""`token_classification`: one label per token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from encoderfile.tasks import results
from encoderfile.tasks.abilities import Extracted
from encoderfile.tasks.entities import WordRules, entities
from encoderfile.tasks.labels import LabelTask
from encoderfile.tasks.results import Result, Rows
from encoderfile.tasks.task import Output, TransformAxes
from encoderfile.types import EncodedText, FloatArray, TokenInfo


@dataclass(frozen=True, slots=True)
class TokenLabels(Result):
    """`logits` and `scores` are float32 [tokens, labels]; `score` float32 [tokens] belongs to `labels`."""

    rows = Rows("tokens", "One per token, special tokens left out.")
    tokens: Annotated[tuple[TokenInfo, ...], results.token(name="token_info")]
    logits: Annotated[FloatArray, results.floats("What the model gave, one per label.")]
    scores: Annotated[FloatArray, results.floats("Probabilities, one per label.")]
    labels: Annotated[tuple[str, ...], results.string(name="label")]
    score: Annotated[FloatArray, results.number("The probability of `label`.")]


class TokenClassification(LabelTask[TokenLabels]):
    """Takes `logits` [batch, tokens, labels]; special tokens and padding are left out."""

    name = "token_classification"
    result = TokenLabels
    outputs = (Output("logits", ("batch", "tokens", "labels")),)
    architectures = ("ForTokenClassification",)
    transform = TransformAxes(("batch", "tokens", "labels"), ("batch", "tokens", "labels"))
    needs_tokens = True
    groups_tokens = True
    summary = "Performs token classification of input text sequences."
    answer = "for each token its label, score and character offsets"
    example: ClassVar[Mapping[str, Any]] = {"inputs": ["John lives in Paris"]}

    def postprocess(self, output: FloatArray, batch: Sequence[EncodedText], mask: FloatArray) -> list[TokenLabels]:
        real = mask.astype(bool)
        return [self._labelled(rows[keep], text) for rows, keep, text in zip(output, real, batch, strict=True)]

    def _labelled(self, logits: FloatArray, text: EncodedText) -> TokenLabels:
        keep = text.special_tokens_mask == 0
        logits = logits[keep]
        scores = self.label_scores(logits)
        best = logits.argmax(axis=-1)
        return TokenLabels(
            tokens=tuple(token for token, kept in zip(text.tokens, keep, strict=True) if kept),
            logits=logits,
            scores=scores,
            labels=tuple(self.labels[index] for index in best),
            score=scores[range(len(best)), best],
        )

    def extract(self, result: TokenLabels, text: str, strategy: str, words: WordRules) -> Extracted:
        scores = result.scores if self.manifest.has_transform else None
        found = entities(result.tokens, result.logits, text, self.labels, strategy, words, scores)
        return Extracted(tuple(found))
