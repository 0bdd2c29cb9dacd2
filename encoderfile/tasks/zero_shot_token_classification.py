"""`zero_shot_token_classification`: the spans of a text that belong to the labels of the request (GLiNER)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from encoderfile.errors import InternalError
from encoderfile.manifest import Manifest
from encoderfile.tasks.abilities import Ability, Entity, Extracted
from encoderfile.tasks.entities import WordRules
from encoderfile.tasks.gliner import THRESHOLD, GlinerSettings, ReadsWords, Sentence
from encoderfile.tasks.numerics import sigmoid
from encoderfile.tasks.options import Option
from encoderfile.tasks.span_decoding import MAX_SPANS, TooManySpansError
from encoderfile.tasks.spans import FoundSpans
from encoderfile.tasks.task import NO_TENSORS, Output, Task
from encoderfile.tasks.zero_shot import MAX_LABELS
from encoderfile.types import EncodedText, FloatArray

_LABELS = ("person", "city")
"""Two, so that the trial of a token-level graph tells its labels from its three scores."""
_TOKEN_SCORES = 3
"""Beginning, end, inside."""


class ZeroShotTokenClassification(Task[FoundSpans]):
    """Takes `logits`: [batch, words, widths, labels] of spans, [batch, words, labels, 3] or [3, batch, ...] of words.

    Which of the last two it is tells the width that the builder found with the labels of the example.
    """

    name = "zero_shot_token_classification"
    result = FoundSpans
    outputs = (Output("logits", ("batch", "words", "widths or labels", "labels or 3")),)
    options: tuple[Option, ...] = (
        Option(
            "labels",
            list[str],
            f"What to look for, in your own words (person, delivery date, ...), at most {MAX_LABELS}.",
            required=True,
            schema={"minItems": 1, "maxItems": MAX_LABELS},
        ),
        Option("threshold", float, f"Entities with a lower score are left out. Left out: {THRESHOLD}."),
        Option(
            "flat_ner", bool, "Whether no entity shares a word with another. Left out: true. false: nested ones too."
        ),
        Option("multi_label", bool, "Whether an entity may have several labels. Left out: false."),
    )
    summary = "Performs zero-shot token classification of input text sequences: finds the entities that you name."
    answer = "for each text the entities that your labels name, with their place in the text"
    example: ClassVar[Mapping[str, Any]] = {
        "inputs": ["Ada Lovelace was born in London."],
        "labels": list(_LABELS),
    }

    def __init__(self, manifest: Manifest, tensors: Mapping[str, FloatArray] = NO_TENSORS) -> None:
        super().__init__(manifest, tensors)
        self._settings = GlinerSettings.of(manifest)
        self.preprocessor = ReadsWords(self._settings)

    def batch_first(self, output: FloatArray) -> FloatArray:
        if self._settings.span_level or self.manifest.width == _TOKEN_SCORES:
            return output
        return np.moveaxis(output, 0, -1)

    def postprocess(self, output: FloatArray, batch: Sequence[EncodedText], mask: FloatArray) -> list[FoundSpans]:
        axis = 2 if self._settings.span_level else 3
        wanted = self._settings.max_width if self._settings.span_level else _TOKEN_SCORES
        if output.shape[axis] != wanted:
            raise InternalError(f"the graph gives {output.shape[axis]} scores for a word and label, not {wanted}")
        return [self._found(row, text.kept) for row, text in zip(output, batch, strict=True)]

    def _found(self, row: FloatArray, sentence: Sentence) -> FoundSpans:
        words = len(sentence.starts)
        asked = sentence.asked
        if self._settings.span_level:
            scores = sigmoid(row[:words, :, : sentence.columns])
            decode = asked.search.spans
        else:
            scores = sigmoid(row[:words, : sentence.columns])
            decode = asked.search.spans_of_tokens
        if asked.undecided:
            return _undecided(scores)
        try:
            spans = decode(scores)
        except TooManySpansError:
            return FoundSpans.none(MAX_SPANS)
        starts = [sentence.starts[span.start] for span in spans]
        ends = [sentence.ends[span.end] for span in spans]
        return FoundSpans(
            [sentence.text[start:end] for start, end in zip(starts, ends, strict=True)],
            [asked.labels[span.label] for span in spans],
            np.array([span.score for span in spans], dtype=np.float32),
            starts,
            ends,
        )

    def limit(self, text: EncodedText) -> str:
        return f"{self._settings.max_words} words" if text.kept.cut else super().limit(text)

    def values(self, text: EncodedText) -> int:
        return len(text)

    @property
    def abilities(self) -> frozenset[Ability]:
        return frozenset({Ability.EXTRACT})

    def extract(self, result: FoundSpans, text: str, strategy: str, words: WordRules) -> Extracted:
        columns = (result.labels, result.scores.tolist(), result.texts, result.starts, result.ends)
        return Extracted(tuple(map(Entity, *columns)))


def _undecided(scores: FloatArray) -> FoundSpans:
    """All scores, as a row each, without names."""
    return FoundSpans((), (), scores.reshape(-1), (), ())
