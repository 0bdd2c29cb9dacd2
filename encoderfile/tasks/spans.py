"""Spans of a text with a label each: the result of `zero_shot_token_classification`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from encoderfile.tasks import results
from encoderfile.tasks.results import Result, Rows
from encoderfile.types import FloatArray


@dataclass(frozen=True, slots=True)
class FoundSpans(Result):
    """The entities of one text, in its order. Each attribute has one value for each; `scores` are float32 [n]."""

    rows = Rows("entities", "Entities in the order of the text.")
    texts: Annotated[Sequence[str], results.string("The characters of the entity.", name="text")]
    labels: Annotated[Sequence[str], results.string("One of the labels of the request.", name="label")]
    scores: Annotated[FloatArray, results.number("Probability of the label.", name="score")]
    starts: Annotated[Sequence[int], results.index("First code point in the input.", name="start")]
    ends: Annotated[Sequence[int], results.index("One past the last code point.", name="end")]
    most: int | None = None
    """Given where more spans were found than are looked at; there are none here then."""

    @staticmethod
    def none(most: int | None = None) -> FoundSpans:
        """No entities."""
        return FoundSpans((), (), np.zeros(0, dtype=np.float32), (), (), most)
