"""What the classification tasks share: labels, and the rule from logits to scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from encoderfile.errors import ModelError
from encoderfile.manifest import Manifest
from encoderfile.tasks.abilities import Ability
from encoderfile.tasks.numerics import sigmoid, softmax
from encoderfile.tasks.results import Result
from encoderfile.tasks.task import NO_TENSORS, Task
from encoderfile.types import FloatArray

R = TypeVar("R", bound=Result)


class LabelTask(Task[R]):
    """A task whose graph gives one logit per label."""

    has_labels = True
    decides = True
    takes_pairs = True

    def __init__(self, manifest: Manifest, tensors: Mapping[str, FloatArray] = NO_TENSORS) -> None:
        super().__init__(manifest, tensors)
        if manifest.id2label is None:
            raise ModelError(f"a {self.name} model needs labels (id2label in config.json)")
        self.labels = tuple(manifest.id2label[index] for index in range(len(manifest.id2label)))
        self._independent = manifest.multi_label or len(self.labels) == 1

    @property
    def abilities(self) -> frozenset[Ability]:
        return frozenset({Ability.EXTRACT})

    def label_scores(self, logits: FloatArray) -> FloatArray:
        """Softmax over labels; sigmoid for one logit or `problem_type: multi_label_classification`.

        A regression has no function: its logits are the values (transformers/pipelines/text_classification.py). Nor
        has what a transform gave: a script that wants probabilities makes them itself.
        """
        if self.manifest.regression or self.manifest.has_transform:
            return logits.copy()
        return sigmoid(logits) if self._independent else softmax(logits)
