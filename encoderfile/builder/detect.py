"""What the folder's files say of the model: its type, its labels, its pooling, its prompts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from encoderfile.builder.folder import ModelFolder
from encoderfile.errors import ModelError
from encoderfile.manifest import PoolingSpec
from encoderfile.model.session import GraphOutput
from encoderfile.tasks import TASKS
from encoderfile.tasks.pooling import POOLING, SPLADE
from encoderfile.types import ModelType

_BY_ARCHITECTURE = {
    "ForSequenceClassification": ModelType.SEQUENCE_CLASSIFICATION,
    "ForTokenClassification": ModelType.TOKEN_CLASSIFICATION,
}

_MASKED_WORDS = ("ForMaskedLM", "ForPreTraining")

_VECTORS = frozenset(TASKS[ModelType.EMBEDDING].outputs) | {"sentence_embedding"}


@dataclass(frozen=True, slots=True)
class Choice:
    """A model type and the reason for it."""

    model_type: ModelType
    reason: str


def refuse_generators(folder: ModelFolder, inputs: Sequence[str], outputs: Sequence[str]) -> None:
    """Raises `ModelError` for models that generate text: they are no encoders.

    Embedding models keep the architecture of the generator they were made from; their graph gives vectors.
    """
    architecture = folder.architecture
    cached = any(name.startswith(("past_key_values", "present")) for name in (*inputs, *outputs))
    generates = architecture.endswith(("ForCausalLM", "LMHeadModel", "ForConditionalGeneration"))
    if cached or (generates and not _VECTORS.intersection(outputs)):
        what = architecture or "this graph"
        raise ModelError(
            f"{what} generates text and is not an encoder: "
            "export an encoder (feature-extraction, text-classification or token-classification)"
        )


def choose_type(folder: ModelFolder, outputs: Sequence[GraphOutput], wanted: ModelType | None) -> Choice:
    """The model type: `wanted` when given, else from architecture, modules.json and the graph's outputs.

    Raises `ModelError` when in doubt, naming the flag that settles it.
    """
    if wanted is not None:
        return Choice(wanted, "asked for by --model-type")
    architecture = folder.architecture
    for suffix, model_type in _BY_ARCHITECTURE.items():
        if architecture.endswith(suffix):
            return Choice(model_type, f"config.json names {architecture}")
    names = {output.name for output in outputs}
    if "sentence_embedding" in names:
        return Choice(ModelType.SENTENCE_EMBEDDING, "the graph has an output sentence_embedding")
    if names & _VECTORS:
        if folder.modules or folder.pooling:
            return Choice(ModelType.SENTENCE_EMBEDDING, "modules.json describes a sentence-transformers model")
        return Choice(ModelType.EMBEDDING, f"the graph's output is {min(names & _VECTORS)}")
    # Last, because sentence models keep the architecture they were trained from.
    if architecture.endswith(_MASKED_WORDS):
        return Choice(
            ModelType.SENTENCE_EMBEDDING,
            f"{architecture} gives a weight to each word of the vocabulary: a sparse embedding",
        )
    raise ModelError(
        f"the model type is in doubt (architecture {architecture or 'unknown'}, outputs "
        f"{', '.join(sorted(names))}): say it with --model-type {'|'.join(ModelType)}"
    )


def choose_output(model_type: ModelType, outputs: Sequence[GraphOutput]) -> GraphOutput:
    """The graph output this type takes. Raises `ModelError` that says what was found and what is needed."""
    task = TASKS[model_type]
    by_name = {output.name: output for output in outputs}
    for name in task.outputs:
        output = by_name.get(name)
        if output is not None and task.output_fits(name, len(output.shape)):
            return output
    found = ", ".join(f"{o.name} {_shape(o)}" for o in outputs)
    raise ModelError(
        f"the model type {model_type.value} needs {task.expected_output()}, the graph gives {found}: "
        "choose another --model-type or export with the matching --task"
    )


def _shape(output: GraphOutput) -> str:
    return "[" + ", ".join("?" if size is None else str(size) for size in output.shape) + "]"


def labels(folder: ModelFolder, columns: int) -> dict[int, str]:
    """`id2label`, checked against the graph's number of columns. Raises `ModelError` when they differ.

    Without `id2label` the library that made the model names LABEL_0 ... from `num_labels`, which is 2 when
    absent too; so do we.
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


def vector_pooling(folder: ModelFolder, model_type: ModelType, output: GraphOutput) -> PoolingSpec | None:
    """How the vectors of this graph's output become one; None where they are one already, or no vectors.

    Raises `ModelError` where the files ask for what is not built here, and the model type needs it.
    """
    if model_type is ModelType.SENTENCE_EMBEDDING and output.name == "logits":
        return _splade(folder)
    if model_type is ModelType.SENTENCE_EMBEDDING and len(output.shape) == 3:
        return pooling(folder)
    if model_type is ModelType.EMBEDDING and (folder.modules or folder.pooling):
        try:
            return pooling(folder)
        except ModelError:
            return None  # The vectors of tokens need no pooling; who wants one vector gets their mean.
    return None


def _splade(folder: ModelFolder) -> PoolingSpec:
    if not folder.architecture.endswith(_MASKED_WORDS):
        raise ModelError(
            f"logits of {folder.architecture or 'an unknown architecture'} are no sentence embedding, only those of "
            "a model of masked words are: choose another --model-type"
        )
    asked = (folder.pooling.get("pooling_strategy", "max"), folder.pooling.get("activation_function", "relu"))
    if asked != ("max", "relu"):
        raise ModelError(f"the sparse pooling {asked[0]} with {asked[1]} is not built here: known is max with relu")
    return PoolingSpec((SPLADE,))


def matryoshka(folder: ModelFolder) -> bool:
    """Whether config.json marks the vectors as ones that may be cut, in the two ways in use."""
    return bool(folder.config.get("matryoshka_dimensions")) or folder.config.get("is_matryoshka") is True


def relevance(folder: ModelFolder) -> str:
    """What makes a cross-encoder's one logit a score: the rule of sentence-transformers' CrossEncoder.

    `activation_fn` of its own section, else the older key, else sigmoid.
    """
    section = folder.config.get("sentence_transformers")
    named = section.get("activation_fn") if isinstance(section, Mapping) else None
    named = named or folder.config.get("sbert_ce_default_activation_function") or "Sigmoid"
    kind = str(named).rsplit(".", 1)[-1]
    if kind not in ("Sigmoid", "Identity"):
        raise ModelError(
            f"config.json asks for the activation {kind}, which is not built here: known are Sigmoid and Identity"
        )
    return kind.lower()


def pooling(folder: ModelFolder) -> PoolingSpec:
    """Pooling and normalisation as the sentence-transformers files say; mean and none without them.

    Raises `ModelError` for a module or a mode that would change answers and is not built here.
    """
    kinds = [str(module.get("type", "")).rsplit(".", 1)[-1] for module in folder.modules]
    for kind in kinds:
        if kind not in ("Transformer", "Pooling", "Normalize"):
            raise ModelError(
                f"modules.json has a {kind} module, which is not part of the graph: export with "
                "`--library-name sentence_transformers`, which puts every module into the graph"
            )
    return PoolingSpec(modes=_modes(folder.pooling), normalize="Normalize" in kinds)


def _modes(config: Mapping[str, Any]) -> tuple[str, ...]:
    named = config.get("pooling_mode")
    if named is not None:
        modes = [named] if isinstance(named, str) else [str(each) for each in named]
    else:
        flags = {
            "pooling_mode_cls_token": "cls",
            "pooling_mode_max_tokens": "max",
            "pooling_mode_mean_tokens": "mean",
            "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
            "pooling_mode_weightedmean_tokens": "weightedmean",
            "pooling_mode_lasttoken": "lasttoken",
        }
        # The order of concatenation in sentence_transformers/models/Pooling.py.
        modes = [mode for flag, mode in flags.items() if config.get(flag)]
    unknown = [mode for mode in modes if mode not in POOLING]
    if unknown:
        raise ModelError(f"the pooling mode {unknown[0]} is not known here: known are {', '.join(POOLING)}")
    return tuple(modes) or ("mean",)
