"""GLiClass: all labels stand beside the text, each behind a marker, and the graph gives one logit for each marker.

The rules of the gliclass package's `UniEncoderZeroShotClassificationPipeline`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from encoderfile.errors import InputError, InternalError, NoRoomError
from encoderfile.tasks.numerics import sigmoid, softmax
from encoderfile.tasks.options import Option
from encoderfile.tasks.preprocessor import Row
from encoderfile.tasks.zero_shot import AskedLabels, ReadsLabels
from encoderfile.types import Asked, EncodedText, FloatArray, Followed, IntArray, Text

LABEL, SEPARATOR = "<<LABEL>>", "<<SEP>>"
"""Before each label, and behind the last one."""


@dataclass(frozen=True, slots=True)
class GliclassSettings:
    """`Manifest.task`."""

    label_token_id: int
    prompt_first: bool
    """Whether the labels stand before the text."""
    max_num_classes: int
    """As config.json has it: the number of logits of graphs that always give as many."""


@dataclass(frozen=True, slots=True)
class _Prompt(AskedLabels):
    prompt: str
    keeps_labels: bool
    """Whether the text alone is truncated where both are too long."""


class ReadsMarkers(ReadsLabels):
    """One row for each text: the labels and the text in one string."""

    extract_refuses_overflow = True

    def __init__(self, settings: GliclassSettings, columns: int | None, *, takes_fillers: bool) -> None:
        """`columns` are the logits that the graph gives for any text; None: as many as the most markers in a row.

        `takes_fillers` says whether the graph takes further rows.
        """
        self._marker = settings.label_token_id
        self._prompt_first = settings.prompt_first
        self._columns = columns
        self._needs_labels = columns is None and not takes_fillers

    def options(self, every: tuple[Option, ...]) -> tuple[Option, ...]:
        return tuple(each for each in every if each.name != "hypothesis_template")

    def asked_labels(self, labels: AskedLabels, asked: Asked) -> AskedLabels:
        if asked.options.get("hypothesis_template") is not None:
            raise InputError("this model reads labels without hypothesis_template: leave it out")
        count = len(labels.labels)
        if self._columns is not None and count > self._columns:
            raise InputError(
                f"the graph of this model scores at most {self._columns} labels, got {count}: send fewer"
            )
        prompt = "".join(LABEL + label for label in labels.labels) + SEPARATOR + asked.prompt
        keeps_labels = asked.options.get("overflow_policy") == "truncate_text"
        return _Prompt(labels.labels, labels.multi_label, labels.threshold, prompt, keeps_labels)

    def rows(self, text: Text, asked: Asked) -> Sequence[Row]:
        assert isinstance(text, str)
        wanted: _Prompt = asked.prepared
        if self._prompt_first:
            return [Row(wanted.prompt + text, kept=len(wanted.labels))]
        whole = Followed(text, wanted.prompt) if wanted.keeps_labels else text + wanted.prompt
        return [Row(whole, kept=len(wanted.labels))]

    def finish(self, encoded: EncodedText, row: Row, asked: Asked) -> EncodedText:
        """Raises `NoRoomError` where labels were left out that have to be kept."""
        if (self._needs_labels or asked.prepared.keeps_labels) and self._markers(encoded) < encoded.kept:
            raise NoRoomError("has no room beside its labels")
        return encoded

    def fillers(self, batch: Sequence[EncodedText]) -> Sequence[EncodedText]:
        """Where truncation left out labels: a row with more markers, so that the graph also scores those.

        To the package a label that was left out is a vector of zeros, which has a score too. As long as the longest
        row, so that it adds no padding.
        """
        if self._columns is not None or all(self._markers(each) >= each.kept for each in batch):
            return ()
        ids = np.full(max(map(len, batch)), self._marker, dtype=np.int64)
        zeros = np.zeros_like(ids)
        return (EncodedText(ids, zeros, zeros, (), truncated=False),)

    def logits(self, output: FloatArray, batch: Sequence[EncodedText]) -> list[FloatArray]:
        """[labels] of each row."""
        return [self._of_row(row, text) for row, text in zip(output, batch, strict=True)]

    def _of_row(self, row: FloatArray, text: EncodedText) -> FloatArray:
        found = row[: text.kept].copy()
        missing = text.kept - len(found)
        if not missing:
            return found
        markers = self._markers(text)
        if markers >= len(row):
            raise InternalError(f"the graph gives {len(row)} logits for {markers} labels")
        return np.concatenate([found, np.full(missing, row[markers], dtype=np.float32)])

    def _markers(self, text: EncodedText) -> int:
        return int(np.count_nonzero(text.input_ids == self._marker))

    def scores(self, logits: FloatArray, multi_label: bool) -> FloatArray:
        """`logits` is [1, labels]."""
        return sigmoid(logits[0]) if multi_label else softmax(logits[0])

    def best_first(self, scores: FloatArray) -> IntArray:
        """Equal scores in the order of the request."""
        return np.argsort(-scores, kind="stable")
