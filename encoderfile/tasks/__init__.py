"""One file per model type, and the table of them."""

from __future__ import annotations

from typing import Any

from encoderfile.manifest import Manifest
from encoderfile.tasks.base import LabelTask, Task
from encoderfile.tasks.embedding import Embedding
from encoderfile.tasks.sentence_embedding import SentenceEmbeddings
from encoderfile.tasks.sequence_classification import SequenceClassification
from encoderfile.tasks.token_classification import TokenClassification
from encoderfile.types import ModelType

TASKS: dict[ModelType, type[Task[Any]]] = {
    task.model_type: task for task in (Embedding, SentenceEmbeddings, SequenceClassification, TokenClassification)
}

__all__ = ["TASKS", "LabelTask", "Task", "create"]


def create(manifest: Manifest) -> Task[Any]:
    """The task of a file's model type, with its labels and pooling. Raises `ModelError` without labels."""
    return TASKS[manifest.model_type](manifest)
