"""Which model type a folder is, and which output of its graph that takes, from what the types declare (`tasks`).

Each type declares the outputs it accepts (`Task.outputs`), the best first. One that the exporter named differently is
found by its shape where there is no doubt, or chosen by `--output`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from encoderfile.builder import pooling_config
from encoderfile.builder.folder import ModelFolder
from encoderfile.errors import ConfigError, ModelError
from encoderfile.model.session import ValueInfo
from encoderfile.tasks import TASKS
from encoderfile.tasks.task import Output

TEXT_VECTOR = ("batch", "hidden")
TOKEN_VECTORS = ("batch", "tokens", "hidden")
TOKEN_WORDS = ("batch", "tokens", "vocabulary")
"""The axes of outputs that are found by more than their name."""

_TEXT_VECTOR_NAMES = frozenset({"sentence_embeddings", "text_embeds", "embeddings", "embedding"})
"""Names of outputs that can only be one vector per text."""
_NEUTRAL = re.compile(r"\d+|output[_.]?\d*|out|Identity(_\d+)?|.*logits.*")
"""Names that do not say what an output is, so that it may be logits; `probabilities` may not."""
_IGNORED = ("present", "hidden_states", "attentions", "pooler_output")
"""How the names begin of outputs that graphs give beside the one that is meant."""


def choose_output(
    folder: ModelFolder, model_type: str, outputs: Sequence[ValueInfo], named: str | None = None
) -> ValueInfo:
    """The output of the graph that this type takes; `named` is that of `--output`.

    Raises `ModelError` that says what the graph gives and what the type needs.
    """
    declared = TASKS[model_type].outputs
    floats = [each for each in outputs if "float" in each.dtype]
    found = _best(folder, declared, floats) if named is None else named_output(outputs, named)
    if found is None or found not in floats or len(found.shape) not in {len(each.axes) for each in declared}:
        given = outputs if named is None else [named_output(outputs, named)]
        raise ModelError(
            f"the model type {model_type} needs {' or '.join(map(str, declared))}, the graph gives {_listed(given)}: "
            "choose another --model-type, name the output with --output or export with the matching --task"
        )
    return found


def _best(folder: ModelFolder, declared: Sequence[Output], outputs: Sequence[ValueInfo]) -> ValueInfo | None:
    words = [each for each in declared if each.axes == TOKEN_WORDS]
    if words and pooling_config.is_sparse(folder):
        declared = words
    return next((found for each in declared if (found := _find(folder, each, outputs)) is not None), None)


def _find(folder: ModelFolder, declared: Output, outputs: Sequence[ValueInfo]) -> ValueInfo | None:
    tokens = token_vectors(folder, outputs)
    if declared.axes == TOKEN_VECTORS:
        return tokens[0] if tokens else None
    rank = len(declared.axes)
    found = _by_name(outputs, declared.name, rank)
    if found is not None:
        return found
    if declared.axes == TEXT_VECTOR:
        return text_vector(folder, outputs) if not tokens or pooling_config.has_dense(folder) else None
    sole = _sole(outputs)
    return sole if sole and len(sole.shape) == rank and _NEUTRAL.fullmatch(sole.plain) else None


def unusual(folder: ModelFolder, model_type: str, found: ValueInfo, named: str | None) -> str | None:
    """Why an output is taken that has not one of the usual names; None for one that has."""
    axes = [each.axes for each in TASKS[model_type].outputs]
    usual = {each.name for task in TASKS.values() for each in task.outputs} | set(pooling_config.TOKEN_VECTORS)
    if found.plain in usual and named is None:
        return None
    if named is not None:
        reason = "it is given by --output"
    elif TOKEN_VECTORS in axes and token_vectors(folder, [found]):
        reason = "it alone gives vectors of tokens, of the size of the model's hidden state"
    elif found.plain in _TEXT_VECTOR_NAMES:
        reason = "its name is that of one vector per text"
    elif TEXT_VECTOR in axes and len(found.shape) == 2:
        reason = f"it alone gives one vector per text, of the {found.shape[-1]} numbers that the files say"
    else:
        reason = "no other output can be the logits"
    return f"the output {found.name} is taken: {reason}"


def token_vectors(folder: ModelFolder, outputs: Sequence[ValueInfo]) -> list[ValueInfo]:
    """Outputs that are one vector per token, best first: by name, else the only one, if of the model's width."""
    named = [_by_name(outputs, name, 3) for name in pooling_config.TOKEN_VECTORS]
    known = [each for each in named if each is not None]
    other = _sole([each for each in outputs if len(each.shape) == 3])
    if known or other is None or other.plain == "logits":
        return known
    width = pooling_config.hidden_size(folder)
    return [other] if width is not None and other.shape[-1] == width else []


def text_vector(folder: ModelFolder, outputs: Sequence[ValueInfo]) -> ValueInfo | None:
    """The only output that is one vector per text, of the size that the modules end with; None in doubt."""
    tokens = token_vectors(folder, outputs)
    found = _sole([each for each in outputs if each not in tokens])
    if found is None or len(found.shape) != 2 or found.plain == "logits":
        return None
    width = pooling_config.vector_size(folder)
    by_name = found.plain in _TEXT_VECTOR_NAMES
    fits = by_name if width is None else found.shape[-1] == width
    return found if fits or (by_name and not pooling_config.pools(folder)) else None


def named_output(outputs: Sequence[ValueInfo], name: str) -> ValueInfo:
    """The output of `--output`. Raises `ConfigError` where the graph has none of that name."""
    found = next((each for each in outputs if each.name == name), None)
    if found is None:
        raise ConfigError(f"--output {name}: the graph has no such output, it has {_listed(outputs)}")
    return found


def _by_name(outputs: Sequence[ValueInfo], name: str, rank: int) -> ValueInfo | None:
    return next((each for each in outputs if each.plain == name and len(each.shape) == rank), None)


def _sole(outputs: Sequence[ValueInfo]) -> ValueInfo | None:
    """The only output, not counting those that are ignored."""
    rest = [each for each in outputs if not each.name.startswith(_IGNORED)]
    return rest[0] if len(rest) == 1 else None


def _listed(outputs: Sequence[ValueInfo]) -> str:
    kinds = {each: "" if "float" in each.dtype else f" of {each.dtype}" for each in outputs}
    return ", ".join(f"{each.name} {_shape(each)}{kinds[each]}" for each in outputs)


def _shape(output: ValueInfo) -> str:
    return "[" + ", ".join("?" if size is None else str(size) for size in output.shape) + "]"


@dataclass(frozen=True, slots=True)
class Choice:
    """A model type and the reason for it."""

    model_type: str
    reason: str


def refuse_generators(folder: ModelFolder, inputs: Sequence[str], outputs: Sequence[ValueInfo]) -> None:
    """Raises `ModelError` for models that generate text, which are not encoders.

    Embedding models keep the architecture and the cache of the generator they were made from; their graph gives
    vectors.
    """
    architecture = folder.architecture
    cached = any(name.startswith(("past_key_values", "present")) for name in (*inputs, *(o.plain for o in outputs)))
    generates = architecture.endswith(("ForCausalLM", "LMHeadModel", "ForConditionalGeneration"))
    vectors = token_vectors(folder, outputs) or text_vector(folder, outputs) or _by_output_name(outputs)
    if (generates or (cached and _by_architecture(architecture) is None)) and not vectors:
        reranker = ""
        if architecture.endswith("ForCausalLM"):
            reranker = (
                ", or, if it is a reranker that answers yes or no, as Qwen3-Reranker, give "
                "--model-type sequence_classification"
            )
        raise ModelError(
            f"{architecture or 'this graph'} generates text and is not an encoder: "
            f"export an encoder (feature-extraction, text-classification or token-classification){reranker}"
        )


def choose_type(
    folder: ModelFolder, outputs: Sequence[ValueInfo], given: str | None, named: str | None = None
) -> Choice:
    """The model type: `given` by `--model-type`, else from architecture, modules.json and the graph's outputs.

    `named` is the output of `--output`. Raises `ModelError` when in doubt, naming the flag that settles it.
    """
    if given is not None:
        return Choice(given, "given by --model-type")
    seen = outputs if named is None else [named_output(outputs, named)]
    architecture = folder.architecture
    tokens = token_vectors(folder, seen)
    vector = text_vector(folder, seen)
    if named is not None:
        masked = architecture.endswith(pooling_config.MASKED_LM)
        tokens = tokens or [each for each in seen if len(each.shape) == 3 and not masked]
        vector = next((each for each in seen if len(each.shape) == 2), None)
    by_architecture = _by_architecture(architecture)
    if by_architecture is not None and not (tokens and pooling_config.pools(folder)):
        return Choice(by_architecture, f"config.json names {architecture}")
    choice = _by_output_name(seen) or _by_vectors(folder, tokens, vector)
    if choice is None:
        raise ModelError(
            f"the model type is in doubt (architecture {architecture or 'unknown'}, outputs "
            f"{', '.join(sorted(each.name for each in outputs))}): give it with --model-type {'|'.join(TASKS)}, and "
            "the output to take with --output NAME"
        )
    return choice


def _by_vectors(folder: ModelFolder, tokens: Sequence[ValueInfo], vector: ValueInfo | None) -> Choice | None:
    """An embedding type, where the graph gives vectors or weights of words; None in doubt."""
    words = folder.architecture.endswith(pooling_config.MASKED_LM)
    if pooling_config.pools(folder) and (tokens or vector or words or pooling_config.is_sparse(folder)):
        return Choice(_by_axes(TEXT_VECTOR), f"{_describes(folder)} describes a sentence-transformers model")
    if tokens:
        return Choice(_by_axes(TOKEN_VECTORS), f"the graph's output is {tokens[0].name}")
    # The last, because sentence models keep the architecture they were trained from.
    if vector is not None:
        return Choice(_by_axes(TEXT_VECTOR), f"the graph's output {vector.name} is one vector per text")
    if words:
        reason = f"{folder.architecture} gives a weight to each word of the vocabulary: a sparse embedding"
        return Choice(_by_axes(TEXT_VECTOR), reason)
    return None


def _describes(folder: ModelFolder) -> str:
    return "modules.json" if folder.modules else "1_Pooling/config.json"


def _by_architecture(architecture: str) -> str | None:
    """The type whose models alone have this architecture."""
    return next((name for name, task in TASKS.items() if architecture.endswith(task.architectures)), None)


def _by_output_name(outputs: Sequence[ValueInfo]) -> Choice | None:
    """The type that alone declares an output of a name that the graph has."""
    for output in outputs:
        types = [name for name, task in TASKS.items() if output.plain in {each.name for each in task.outputs}]
        if len(types) == 1:
            return Choice(types[0], f"the graph has an output {output.plain}")
    return None


def _by_axes(axes: tuple[str, ...]) -> str:
    """The first type whose best output has these axes."""
    return next(name for name, task in TASKS.items() if task.outputs[0].axes == axes)
