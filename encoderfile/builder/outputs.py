"""What the model is, and which output of the graph says it.

The names that the exporter gives are known; others are found by rank and width where there is no doubt, or chosen
by `--output`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from encoderfile.builder import modules
from encoderfile.builder.folder import ModelFolder
from encoderfile.errors import ConfigError, ModelError
from encoderfile.model.session import ValueInfo
from encoderfile.tasks import TASKS

_BY_ARCHITECTURE = {
    "ForSequenceClassification": "sequence_classification",
    "ForTokenClassification": "token_classification",
}
_SENTENCE = "sentence_embedding"
_VECTORS = frozenset({"sentence_embeddings", "text_embeds", "embeddings", "embedding"})
"""Names of outputs that can only be one vector per text, [batch, size]."""
_NEUTRAL = re.compile(r"\d+|output[_.]?\d*|out|Identity(_\d+)?|.*logits.*")
"""Names that do not say what an output is, so that it may be logits; `probabilities` would be none."""
_BESIDE = ("present", "hidden_states", "attentions", "pooler_output")
"""Outputs that stand beside the one that is meant; names begin so."""
_RANK = {
    "embedding": (3,),
    "sentence_embedding": (2, 3),
    "sequence_classification": (2,),
    "token_classification": (3,),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A model type and the reason for it."""

    model_type: str
    reason: str


def refuse_generators(folder: ModelFolder, inputs: Sequence[str], outputs: Sequence[ValueInfo]) -> None:
    """Raises `ModelError` for models that generate text: they are no encoders.

    Embedding models keep the architecture and the cache of the generator they were made from; their graph gives
    vectors.
    """
    architecture = folder.architecture
    names = [each.plain for each in outputs]
    cached = any(name.startswith(("past_key_values", "present")) for name in (*inputs, *names))
    generates = architecture.endswith(("ForCausalLM", "LMHeadModel", "ForConditionalGeneration"))
    labels = architecture.endswith(tuple(_BY_ARCHITECTURE))
    vectors = _token_vectors(folder, outputs) or _sentence_vector(folder, outputs) or _SENTENCE in names
    if (generates or (cached and not labels)) and not vectors:
        what = architecture or "this graph"
        raise ModelError(
            f"{what} generates text and is not an encoder: "
            "export an encoder (feature-extraction, text-classification or token-classification)"
        )


def choose_type(
    folder: ModelFolder, outputs: Sequence[ValueInfo], wanted: str | None, named: str | None = None
) -> Choice:
    """The model type: `wanted` when given, else from architecture, modules.json and the graph's outputs.

    `named` is the output of `--output`. Raises `ModelError` when in doubt, naming the flag that settles it.
    """
    if wanted is not None:
        return Choice(wanted, "asked for by --model-type")
    seen = outputs if named is None else [_named(outputs, named)]
    architecture = folder.architecture
    tokens = _token_vectors(folder, seen)
    vector = _sentence_vector(folder, seen)
    labelled = next((known for suffix, known in _BY_ARCHITECTURE.items() if architecture.endswith(suffix)), None)
    words = architecture.endswith(modules.MASKED_WORDS)
    pooled = modules.pools(folder)
    if named is not None:
        tokens = tokens or [each for each in seen if len(each.shape) == 3 and not words]
        vector = next((each for each in seen if len(each.shape) == 2), None)
    if labelled is not None and not (pooled and tokens):
        return Choice(labelled, f"config.json names {architecture}")
    if any(output.plain == _SENTENCE for output in seen):
        return Choice("sentence_embedding", f"the graph has an output {_SENTENCE}")
    if pooled and (tokens or vector or words or modules.is_sparse(folder)):
        return Choice("sentence_embedding", "modules.json describes a sentence-transformers model")
    if tokens:
        return Choice("embedding", f"the graph's output is {tokens[0].name}")
    # The last, because sentence models keep the architecture they were trained from.
    if vector or words:
        sparse = f"{architecture} gives a weight to each word of the vocabulary: a sparse embedding"
        reason = f"the graph's output {vector.name} is one vector per text" if vector else sparse
        return Choice("sentence_embedding", reason)
    raise ModelError(
        f"the model type is in doubt (architecture {architecture or 'unknown'}, outputs "
        f"{', '.join(sorted(each.name for each in outputs))}): say it with --model-type {'|'.join(TASKS)}, and "
        "which output it takes with --output NAME"
    )


def choose_output(
    folder: ModelFolder, model_type: str, outputs: Sequence[ValueInfo], named: str | None = None
) -> ValueInfo:
    """The graph output this type takes; `named` is that of `--output`.

    Raises `ModelError` that says what was found and what is needed.
    """
    floats = [each for each in outputs if "float" in each.dtype]
    found = _best(folder, model_type, floats) if named is None else _named(outputs, named)
    if found is None or found not in floats or len(found.shape) not in _RANK[model_type]:
        raise _unfit(model_type, outputs if named is None else [_named(outputs, named)])
    return found


def _best(folder: ModelFolder, model_type: str, outputs: Sequence[ValueInfo]) -> ValueInfo | None:
    tokens = _token_vectors(folder, outputs)
    if model_type == "embedding":
        return tokens[0] if tokens else None
    if model_type == "sentence_embedding":
        words = _by_name(outputs, "logits", 3) or _sole_logits(outputs, 3)
        if modules.is_sparse(folder):
            return words
        whole = _by_name(outputs, _SENTENCE, 2)
        if whole is None and (not tokens or modules.has_dense(folder)):
            whole = _sentence_vector(folder, outputs)
        return whole or (tokens[0] if tokens else words)
    rank = _RANK[model_type][0]
    return _by_name(outputs, "logits", rank) or _sole_logits(outputs, rank)


def _token_vectors(folder: ModelFolder, outputs: Sequence[ValueInfo]) -> list[ValueInfo]:
    """Outputs that are the vectors of tokens, best first: by name, else the only ones of the model's width."""
    found = [_by_name(outputs, name, 3) for name in modules.TOKEN_VECTORS]
    known = [each for each in found if each is not None]
    other = _sole([each for each in outputs if len(each.shape) == 3])
    if known or other is None or other.plain == "logits":
        return known
    width = modules.hidden_size(folder)
    return [other] if width is not None and other.shape[-1] == width else []


def _sentence_vector(folder: ModelFolder, outputs: Sequence[ValueInfo]) -> ValueInfo | None:
    """The only output that is one vector per text, of the size that the modules end with; None in doubt."""
    tokens = _token_vectors(folder, outputs)
    found = _sole([each for each in outputs if each not in tokens])
    if found is None or len(found.shape) != 2 or found.plain == "logits":
        return None
    width = modules.vector_size(folder)
    fits = found.plain in _VECTORS if width is None else found.shape[-1] == width
    return found if fits or (found.plain in _VECTORS and not modules.pools(folder)) else None


def _by_name(outputs: Sequence[ValueInfo], name: str, rank: int) -> ValueInfo | None:
    return next((each for each in outputs if each.plain == name and len(each.shape) == rank), None)


def _sole(outputs: Sequence[ValueInfo]) -> ValueInfo | None:
    """The only output, but for those that stand beside others."""
    rest = [each for each in outputs if not each.name.startswith(_BESIDE)]
    return rest[0] if len(rest) == 1 else None


def _sole_logits(outputs: Sequence[ValueInfo], rank: int) -> ValueInfo | None:
    """The only output, where its name does not speak against logits."""
    found = _sole(outputs)
    return found if found and len(found.shape) == rank and _NEUTRAL.fullmatch(found.plain) else None


def _named(outputs: Sequence[ValueInfo], name: str) -> ValueInfo:
    found = next((each for each in outputs if each.name == name), None)
    if found is None:
        raise ConfigError(f"--output {name} is no output of the graph: it has {_listed(outputs)}")
    return found


def _unfit(model_type: str, outputs: Sequence[ValueInfo]) -> ModelError:
    return ModelError(
        f"the model type {model_type} needs {' or '.join(map(str, TASKS[model_type].outputs))}, the graph gives "
        f"{_listed(outputs)}: choose another --model-type, name the output with --output or export with the "
        "matching --task"
    )


def _listed(outputs: Sequence[ValueInfo]) -> str:
    kinds = {each: "" if "float" in each.dtype else f" of {each.dtype}" for each in outputs}
    return ", ".join(f"{each.name} {_shape(each)}{kinds[each]}" for each in outputs)


def _shape(output: ValueInfo) -> str:
    return "[" + ", ".join("?" if size is None else str(size) for size in output.shape) + "]"
