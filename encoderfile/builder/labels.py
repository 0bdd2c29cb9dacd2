"""The labels of a classifier, and what turns its logits into scores.

Sources: transformers' `PretrainedConfig` and `TextClassificationPipeline.postprocess`, sentence-transformers'
`CrossEncoder.get_default_activation_fn`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from encoderfile.builder.folder import ModelFolder
from encoderfile.errors import ModelError
from encoderfile.manifest import Manifest
from encoderfile.tasks import TASKS
from encoderfile.tasks.numerics import ACTIVATIONS

_PROBLEMS = ("regression", "single_label_classification", "multi_label_classification")


def label_facts(folder: ModelFolder, model_type: str) -> dict[str, Any]:
    """What the manifest says of labels and scores; nothing for types without labels.

    Raises `ModelError` where config.json asks for what is not supported.
    """
    task = TASKS[model_type]
    if not task.has_labels:
        return {}
    of_texts = all("tokens" not in each.axes for each in task.outputs)
    problem = _problem_type(folder)
    named = labels(folder)
    return {
        "id2label": named,
        "multi_label": problem == "multi_label_classification",
        "regression": of_texts and problem == "regression",
        "relevance": relevance(folder) if of_texts and len(named) == 1 else None,
    }


def labels(folder: ModelFolder) -> dict[int, str]:
    """`id2label`. Raises `ModelError` where it does not name 0, 1, 2 ...

    Without `id2label` transformers names LABEL_0 ... from `num_labels`, which is 2 when absent too; so do we.
    """
    raw = folder.config.get("id2label")
    if raw is not None:
        return _id2label(raw)
    count = folder.config.get("num_labels", 2)
    return {index: f"LABEL_{index}" for index in range(count)} if isinstance(count, int) else {}


def check_labels(folder: ModelFolder, manifest: Manifest) -> None:
    """Raises `ModelError` where the graph has another number of logits than config.json has labels."""
    named, columns = manifest.id2label, manifest.width
    if named is None or len(named) == columns:
        return
    if folder.config.get("id2label") is not None:
        origin = f"{len(named)} labels in id2label"
    elif "num_labels" in folder.config:
        origin = f"num_labels {folder.config['num_labels']}"
    else:
        origin = "no id2label (which means 2 labels)"
    raise ModelError(
        f"config.json has {origin}, the graph gives {columns} logits: "
        "correct id2label in config.json or export the model again"
    )


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


def relevance(folder: ModelFolder) -> str:
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
