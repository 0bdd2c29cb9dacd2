"""What a model cannot do is said in one sentence, the same on every way in."""

from __future__ import annotations

from typing import Any

from encoderfile.errors import UnableError
from encoderfile.tasks import Task
from encoderfile.tasks.abilities import Ability

_NEEDS = {
    Ability.DENSE: ("dense embeddings", "it gives {gives}"),
    Ability.SPARSE: ("sparse embeddings", "it gives {gives}"),
    Ability.TOKENS: ("vectors of tokens", "it gives {gives}"),
    Ability.SCORE: (
        "scoring",
        "that takes token vectors made for it (ColBERT, BGE-M3) or a cross-encoder, a sequence classification model "
        "with one label",
    ),
    Ability.EXTRACT: ("extraction", "it gives vectors, not entities or labels"),
}
"""What an ability is called, and what a model without it gives or would have to be."""


def check(ability: Ability, task: Task[Any], model_id: str) -> None:
    """Raises `UnableError` where the model does not have the ability."""
    if ability in task.abilities:
        return
    what, takes = _NEEDS[ability]
    gives = " and ".join(task.dims) or "labels"
    takes = takes.format(gives=gives)
    if ability is Ability.SCORE:
        takes += f", and this one has {len(task.labels)}" if task.labels else f"; this one gives {gives}"
    raise UnableError(f"Model '{model_id}' does not support {what}: {takes}")


def check_classifies(task: Task[Any], model_id: str, instead: str = "") -> None:
    """Raises `UnableError`, which ends with `instead`, for a model without labels of its own for a text."""
    if not task.classifies:
        raise UnableError(f"Model '{model_id}' is no classifier of texts: it gives {task.answer}{instead}")
