"""The model types of the table, and the model that stands for each in the tests of all of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from encoderfile.tasks import TASKS, Task
from support.kinds import KINDS
from support.models import DEMO, MODELS

FOLDERS: dict[str, tuple[Path, str | None]] = {
    **{path.name: (path, None) for path in sorted(MODELS.iterdir())},
    **{name: (folder, None) for name, folder in DEMO.items()},
    "embed-tokens": (DEMO["embed"], "embedding"),
    "bert-embed-sentences": (MODELS / "bert-embed", "sentence_embedding"),
    "gliclass": (KINDS["gliclass"], None),
    "gliner-span": (KINDS["gliner-span"], None),
    "nli-zero-shot": (KINDS["nli"], "zero_shot_classification"),
}
"""Every model that tests serve: its folder, and the type where it is not the folder's own."""

MODEL_OF = {
    "embedding": "embed-tokens",
    "sentence_embedding": "embed",
    "sequence_classification": "sentiment",
    "token_classification": "ner",
    "zero_shot_classification": "gliclass",
    "zero_shot_token_classification": "gliner-span",
}
"""The model that stands for each type."""

OF_EACH_TYPE = tuple(MODEL_OF.get(model_type, model_type) for model_type in TASKS)
"""One model per type of the table, for `parametrize`: a type that is declared is tested."""


def folder_of(model: str) -> tuple[Path, str | None]:
    """Folder and type of a model. Fails for a type that no model stands for."""
    if model not in FOLDERS:
        pytest.fail(
            f"no model stands for the type {model}: add an export to tests/models and name it in MODEL_OF of "
            "tests/support/model_types.py"
        )
    return FOLDERS[model]


def task_of(model: str) -> type[Task[Any]]:
    """What the type of one of `OF_EACH_TYPE` declares."""
    return next(task for name, task in TASKS.items() if MODEL_OF.get(name, name) == model)


def needed_by(task: type[Task[Any]]) -> dict[str, Any]:
    """What each request to a model of this type has to say, as its example has it; not what has a default."""
    return {each.name: task.example[each.name] for each in task.options if each.required and each.default is None}


def id_of(model: str) -> str:
    """The id under which a model answers."""
    return folder_of(model)[0].name


def service_of(model: str) -> str:
    """The gRPC service of one of `OF_EACH_TYPE`, without its package."""
    return "".join(word.title() for word in task_of(model).name.split("_"))


def labels_of(model: str) -> dict[str, str] | None:
    """The labels of one of `OF_EACH_TYPE` as its config.json names them; None for a type without labels."""
    if not task_of(model).has_labels:
        return None
    folder, _ = folder_of(model)
    labels: dict[str, str] = json.loads((folder / "config.json").read_text(encoding="utf-8"))["id2label"]
    return labels
