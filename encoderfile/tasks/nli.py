"""An NLI model as zero-shot classifier: does the text entail a sentence that says the label?

The rules of transformers' `ZeroShotClassificationPipeline`.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from encoderfile.errors import InputError
from encoderfile.tasks.numerics import softmax
from encoderfile.tasks.options import Option
from encoderfile.tasks.preprocessor import Row
from encoderfile.tasks.zero_shot import AskedLabels, ReadsLabels, check_unicode
from encoderfile.types import Asked, EncodedText, FloatArray, IntArray, Text

TEMPLATE = "This example is {}."
"""What a label is put into, in the library."""

_SIE_TEMPLATE = "This text is about {}."
_MAX_CHARACTERS = 1 << 20
"""Of all hypotheses of one request: a long template and many labels are short in a request and gigabytes here."""


@dataclass(frozen=True, slots=True)
class NliSettings:
    """`Manifest.task`: the columns of the logits."""

    entailment: int
    contradiction: int


@dataclass(frozen=True, slots=True)
class _Hypotheses(AskedLabels):
    hypotheses: tuple[str, ...]


class ReadsHypotheses(ReadsLabels):
    """One row for each label: the text, and the template with the label in it."""

    takes_prompt = False
    extract_defaults: ClassVar[Mapping[str, Any]] = {"hypothesis_template": _SIE_TEMPLATE}

    def __init__(self, settings: NliSettings) -> None:
        self._columns = [settings.contradiction, settings.entailment]

    def options(self, every: tuple[Option, ...]) -> tuple[Option, ...]:
        """Labels may be one string too."""
        return tuple(replace(each, type=each.type | str) if each.name == "labels" else each for each in every)

    def labels(self, given: Sequence[str] | str) -> Sequence[str]:
        """A string is a list of labels with commas between them."""
        if isinstance(given, str):
            return [stripped for each in given.split(",") if (stripped := each.strip())]
        return given

    def asked_labels(self, labels: AskedLabels, asked: Asked) -> AskedLabels:
        parts = _template(asked.options.get("hypothesis_template", TEMPLATE))
        count = len(labels.labels)
        characters = count * sum(map(len, parts)) + (len(parts) - 1) * sum(map(len, labels.labels))
        if characters > _MAX_CHARACTERS:
            raise InputError(
                f"hypothesis_template with each of the labels takes at most {_MAX_CHARACTERS} characters, got "
                f"{characters}: send a shorter one, or fewer labels"
            )
        hypotheses = tuple(label.join(parts) for label in labels.labels)
        return _Hypotheses(labels.labels, labels.multi_label, labels.threshold, hypotheses)

    def rows(self, text: Text, asked: Asked) -> Sequence[Row]:
        assert isinstance(text, str)
        return [Row((text, hypothesis)) for hypothesis in asked.prepared.hypotheses]

    def logits(self, output: FloatArray, batch: Sequence[EncodedText]) -> list[FloatArray]:
        """[contradiction, entailment] of each row."""
        return list(output[:, self._columns])

    def scores(self, logits: FloatArray, multi_label: bool) -> FloatArray:
        """`logits` is [labels, 2]. One label alone is weighed against its contradiction, as with `multi_label`."""
        if multi_label or len(logits) == 1:
            return softmax(logits)[:, 1]
        return softmax(logits[:, 1])

    def best_first(self, scores: FloatArray) -> IntArray:
        """Equal scores in the library's order."""
        return np.argsort(scores)[::-1]


def _template(template: str) -> list[str]:
    """The parts of a template around its place for the label, as `str.format` reads it: `{}` or `{0}`, `{{` for `{`.

    Nothing else that `str.format` can do, for that reaches into objects and fills memory. Raises `InputError`.
    """
    check_unicode("hypothesis_template", template)
    parts, fields = [""], []
    try:
        for literal, field, spec, conversion in string.Formatter().parse(template):
            parts[-1] += literal
            if field is not None:
                if spec or conversion:
                    raise ValueError
                fields.append(field)
                parts.append("")
    except ValueError:
        fields = []
    if fields != [""] and (not fields or set(fields) != {"0"}):
        raise InputError("hypothesis_template should have {} once, where the label belongs")
    return parts
