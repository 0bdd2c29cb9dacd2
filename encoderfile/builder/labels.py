"""The labels of a classifier, and what turns its logits into scores.

Sources: transformers' `PretrainedConfig` and `TextClassificationPipeline.postprocess`, sentence-transformers'
`CrossEncoder.get_default_activation_fn`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from encoderfile.builder.folder import ModelFolder
from encoderfile.errors import ModelError
from encoderfile.tasks import TASKS
from encoderfile.tasks.numerics import ACTIVATIONS

_PROBLEMS = ("regression", "single_label_classification", "multi_label_classification")


def label_facts(folder: ModelFolder, model_type: str, columns: int) -> dict[str, Any]:
    """What the manifest says of labels and scores, for a graph with `columns` logits; nothing for other types.

    Raises `ModelError` where config.json does not fit the graph, or asks for what is not supported.
    """
    task = TASKS[model_type]
    if not task.has_labels:
        return {}
    of_texts = all("tokens" not in each.axes for each in task.outputs)
    problem = _problem_type(folder)
    return {
        "id2label": labels(folder, columns),
        "multi_label": problem == "multi_label_classification",
        "regression": of_texts and problem == "regression",
        "relevance": _relevance(folder) if of_texts and columns == 1 else None,
    }


def labels(folder: ModelFolder, columns: int) -> dict[int, str]:
    """`id2label`, checked against the graph's number of columns. Raises `ModelError` when they differ.

    Without `id2label` transformers names LABEL_0 ... from `num_labels`, which is 2 when absent too; so do we.
    """
    raw = folder.config.get("id2label")
    if raw is None:
        count = folder.config.get("num_labels", 2)
        found = {index: f"LABEL_{index}" for index in range(count)} if isinstance(count, int) else {}
        origin = f"num_labels {count}" if "num_labels" in folder.config else "no id2label (which means 2 labels)"
    else:
        found = _id2label(raw)
        origin = f"{len(found)} labels in id2label"
    if len(found) != columns:
        raise ModelError(
            f"config.json has {origin}, the graph gives {columns} logits: "
            "correct id2label in config.json or export the model again"
        )
    return found


def _id2label(raw: object) -> dict[int, str]:
    message = "id2label in config.json should map 0, 1, 2 ... to names: correct it"
    if not isinstance(raw, Mapping):
        raise ModelError(message)
    try:
        found = {int(index): str(label) for index, label in raw.items()}
    except ValueError:
        raise ModelError(message) from None
    if sorted(found) != list(range(len(found))):
        raise ModelError(message)
    return dict(sorted(found.items()))


def _problem_type(folder: ModelFolder) -> str | None:
    """`problem_type` of config.json, which chooses the function from logits to scores."""
    named = folder.config.get("problem_type")
    if named is not None and named not in _PROBLEMS:
        raise ModelError(f"config.json has the problem_type {named}: correct it to one of {', '.join(_PROBLEMS)}")
    return named


def _relevance(folder: ModelFolder) -> str:
    """The activation that turns a cross-encoder's one logit into a score: a name in `ACTIVATIONS`.

    `activation_fn` of config_sentence_transformers.json, else of config.json's own section, else the older key,
    else sigmoid.
    """
    section = folder.config.get("sentence_transformers")
    named = folder.sentence_transformers.get("activation_fn")
    if named is None and isinstance(section, Mapping) and "activation_fn" in section:
        named = section["activation_fn"]
    elif named is None:
        named = folder.config.get("sbert_ce_default_activation_function")
    if named is None:
        return "sigmoid"
    package, _, kind = str(named).rpartition(".")
    if not package.startswith("torch.") or kind.lower() not in ACTIVATIONS:
        raise ModelError(
            f"config.json asks for the activation {named}, which is not supported: only those of torch.nn "
            f"called {', '.join(ACTIVATIONS)} are"
        )
    return kind.lower()
