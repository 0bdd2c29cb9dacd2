"""`zero_shot_classification`: a score for each label that comes with the request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from encoderfile.errors import ModelError
from encoderfile.manifest import Manifest
from encoderfile.tasks.abilities import Ability, Classification, Extracted
from encoderfile.tasks.entities import WordRules
from encoderfile.tasks.gliclass import GliclassSettings, ReadsMarkers
from encoderfile.tasks.nli import TEMPLATE, NliSettings, ReadsHypotheses
from encoderfile.tasks.options import Option
from encoderfile.tasks.task import NO_TENSORS, Output, Task
from encoderfile.tasks.zero_shot import MAX_LABELS, ReadsLabels, ScoredLabels
from encoderfile.types import EncodedText, FloatArray

_LABELS = ("positive", "negative", "neutral")


class ZeroShotClassification(Task[ScoredLabels]):
    """Takes `logits`: [batch, labels of the request], or of an NLI model [batch, labels of the model]."""

    name = "zero_shot_classification"
    result = ScoredLabels
    outputs = (Output("logits", ("batch", "labels")),)
    architectures = ("GLiClassModel",)
    decides = True
    takes_prompt = True
    options: tuple[Option, ...] = (
        Option(
            "labels",
            list[str],
            f"The labels to choose from, in your own words, at most {MAX_LABELS}.",
            required=True,
            schema={"minItems": 1, "maxItems": MAX_LABELS},
        ),
        Option(
            "multi_label",
            bool,
            "Whether several labels may hold: each score is then between 0 and 1 on its own. Left out: false, the "
            "scores are those of a choice and their sum is 1.",
        ),
        Option("threshold", float, "Labels with a lower score are left out. Left out: 0, every label is given."),
        Option(
            "hypothesis_template",
            str,
            f"For NLI models: the sentence about a text into which each label is put, with {{}} for it. Left out: "
            f"{TEMPLATE}",
            schema={"pattern": r"^[^{}]*\{\}[^{}]*$"},
        ),
    )
    summary = "Performs zero-shot classification of input text sequences: you choose the labels."
    answer = "for each text a score for each of your labels, the best first"
    example: ClassVar[Mapping[str, Any]] = {
        "inputs": ["The parcel came two days late."],
        "labels": list(_LABELS),
    }

    def __init__(self, manifest: Manifest, tensors: Mapping[str, FloatArray] = NO_TENSORS) -> None:
        super().__init__(manifest, tensors)
        self._reads = _reading(manifest)
        self.preprocessor = self._reads
        self.options = self._reads.options(self.options)
        self.takes_prompt = self._reads.takes_prompt

    def fillers(self, batch: Sequence[EncodedText]) -> Sequence[EncodedText]:
        return self._reads.fillers(batch)

    def postprocess(self, output: FloatArray, batch: Sequence[EncodedText], mask: FloatArray) -> list[ScoredLabels]:
        return [ScoredLabels((), logits) for logits in self._reads.logits(output, batch)]

    def values(self, text: EncodedText) -> int:
        return text.kept or 1

    @property
    def abilities(self) -> frozenset[Ability]:
        return frozenset({Ability.EXTRACT})

    @property
    def extract_defaults(self) -> Mapping[str, Any]:
        return self._reads.extract_defaults

    @property
    def extract_refuses_overflow(self) -> bool:
        return self._reads.extract_refuses_overflow

    def extract(self, result: ScoredLabels, text: str, strategy: str, words: WordRules) -> Extracted:
        scores = result.scores.tolist()
        return Extracted((), tuple(map(Classification, result.labels, scores)))


def _reading(manifest: Manifest) -> ReadsLabels:
    """By the settings that the kind wrote."""
    try:
        if "entailment" in manifest.task:
            return ReadsHypotheses(NliSettings(**manifest.task))
        settings = GliclassSettings(**manifest.task)
    except TypeError as error:
        raise ModelError(f"the manifest does not say how a {manifest.model_type} model reads labels") from error
    # The builder tried the graph with the labels of the example, and `width` is the number of logits that it gave.
    by_markers = manifest.width == len(_LABELS) != settings.max_num_classes
    columns = None if by_markers else manifest.width or None
    return ReadsMarkers(settings, columns, takes_fillers=manifest.graph.rows is None)
