"""What both ways of zero-shot classification share: the labels of a request, and the answer for one text."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar

import numpy as np

from encoderfile.errors import InputError
from encoderfile.tasks import results
from encoderfile.tasks.options import Option
from encoderfile.tasks.preprocessor import Preprocessor
from encoderfile.tasks.results import Result, Rows
from encoderfile.types import Asked, EncodedText, FloatArray, IntArray

MAX_LABELS = 1000
"""In one request: each takes a run of the model, or tokens of its input."""


@dataclass(frozen=True, slots=True)
class ScoredLabels(Result):
    """`scores` are float32 [labels]. Those of a row alone, before `gather`, are the model's logits, without names."""

    rows = Rows("classifications", "Labels, the best first; those with a score below `threshold` are left out.")
    labels: Annotated[Sequence[str], results.string(name="label")]
    scores: Annotated[FloatArray, results.number("Probability of the label.", name="score")]


@dataclass(frozen=True, slots=True)
class AskedLabels:
    """What a request asks, checked."""

    labels: tuple[str, ...]
    multi_label: bool
    threshold: float


class ReadsLabels(Preprocessor[ScoredLabels]):
    """How a model reads labels together with a text."""

    no_room = "has no room beside the labels: send fewer labels, or shorter ones"
    takes_prompt = True
    extract_defaults: ClassVar[Mapping[str, Any]] = {}
    """As `Task.extract_defaults`."""
    extract_refuses_overflow: ClassVar[bool] = False
    """As `Task.extract_refuses_overflow`."""

    def prepare(self, asked: Asked) -> Asked:
        options = asked.options
        threshold = options.get("threshold", 0.0)
        if math.isnan(threshold):
            raise InputError("threshold should be a number, got NaN")
        labels = checked_labels(self.labels(options.get("labels", ())))
        prepared = self.asked_labels(AskedLabels(labels, options.get("multi_label", False), threshold), asked)
        return replace(asked, prompt="", prepared=prepared)

    def options(self, every: tuple[Option, ...]) -> tuple[Option, ...]:
        """Of those of the type the ones that this way of reading has."""
        return every

    def labels(self, given: Sequence[str] | str) -> Sequence[str]:
        """The labels of a request. Raises `InputError` for a string, unless it is a list of labels here."""
        if isinstance(given, str):
            raise InputError("labels should be a list of strings, got a string")
        return given

    @abstractmethod
    def asked_labels(self, labels: AskedLabels, asked: Asked) -> AskedLabels:
        """`labels` with what else the rows need of the request. Raises `InputError`."""

    @abstractmethod
    def logits(self, output: FloatArray, batch: Sequence[EncodedText]) -> list[FloatArray]:
        """What the results need of the graph's output, float32, one array for each row."""

    @abstractmethod
    def scores(self, logits: FloatArray, multi_label: bool) -> FloatArray:
        """float32 [labels], from the logits of all rows of one text."""

    @abstractmethod
    def best_first(self, scores: FloatArray) -> IntArray:
        """int64 [labels]: their order in the answer."""

    def fillers(self, batch: Sequence[EncodedText]) -> Sequence[EncodedText]:
        """As `Task.fillers`."""
        return ()

    def gather(self, results: Sequence[ScoredLabels], asked: Asked) -> ScoredLabels:
        wanted: AskedLabels = asked.prepared
        scores = self.scores(np.stack([each.scores for each in results]), wanted.multi_label)
        # As Python numbers: 0.7 is not a float32.
        order = [each for each in self.best_first(scores).tolist() if float(scores[each]) >= wanted.threshold]
        return ScoredLabels([wanted.labels[each] for each in order], scores[order])


def checked_labels(labels: Sequence[str]) -> tuple[str, ...]:
    """The labels of a request. Raises `InputError` for none, too many, and for a lone surrogate."""
    if not labels:
        raise InputError("labels is empty: send at least one label")
    if len(labels) > MAX_LABELS:
        raise InputError(f"at most {MAX_LABELS} labels per request, got {len(labels)}: send fewer")
    for index, label in enumerate(labels):
        check_unicode(f"labels[{index}]", label)
    return tuple(labels)


def check_unicode(what: str, text: str) -> None:
    """Raises `InputError` for a lone surrogate, which JSON can spell."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InputError(f"{what} holds a lone surrogate, which is not valid Unicode") from None
