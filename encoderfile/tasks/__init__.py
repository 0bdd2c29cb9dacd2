"""One file per model type, and the table of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import encoderfile
from encoderfile.errors import ModelError
from encoderfile.manifest import Manifest
from encoderfile.tasks.embedding import Embedding
from encoderfile.tasks.sentence_embedding import SentenceEmbeddings
from encoderfile.tasks.sequence_classification import SequenceClassification
from encoderfile.tasks.task import NO_TENSORS, Task
from encoderfile.tasks.token_classification import TokenClassification
from encoderfile.tasks.zero_shot_classification import ZeroShotClassification
from encoderfile.tasks.zero_shot_token_classification import ZeroShotTokenClassification
from encoderfile.types import FloatArray

TASKS: dict[str, type[Task[Any]]] = {
    task.name: task
    for task in (
        Embedding,
        SentenceEmbeddings,
        SequenceClassification,
        TokenClassification,
        ZeroShotClassification,
        ZeroShotTokenClassification,
    )
}
"""Every model type, by its name."""

__all__ = ["TASKS", "Task", "create"]


def create(manifest: Manifest, tensors: Mapping[str, FloatArray] = NO_TENSORS) -> Task[Any]:
    """The task of a file; `tensors` as `Task` has them.

    Raises `ModelError` for an unknown model type, or one whose labels are missing.
    """
    task = TASKS.get(manifest.model_type)
    if task is None:
        raise ModelError(
            f"the model type {manifest.model_type} is not known to encoderfile {encoderfile.__version__}: "
            "use the version that built the file, or a newer one"
        )
    return task(manifest, tensors)
