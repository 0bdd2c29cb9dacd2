"""Which model type a folder is, from what the types declare (`tasks`), its files and the outputs of its graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from encoderfile.builder import pooling_config
from encoderfile.builder.folder import ModelFolder
from encoderfile.builder.graph_outputs import TEXT_VECTOR, TOKEN_VECTORS, named_output, text_vector, token_vectors
from encoderfile.errors import ModelError
from encoderfile.model.session import ValueInfo
from encoderfile.tasks import TASKS


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
        raise ModelError(
            f"{architecture or 'this graph'} generates text and is not an encoder: "
            "export an encoder (feature-extraction, text-classification or token-classification)"
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
        return Choice(_by_axes(TEXT_VECTOR), "modules.json describes a sentence-transformers model")
    if tokens:
        return Choice(_by_axes(TOKEN_VECTORS), f"the graph's output is {tokens[0].name}")
    # The last, because sentence models keep the architecture they were trained from.
    if vector is not None:
        return Choice(_by_axes(TEXT_VECTOR), f"the graph's output {vector.name} is one vector per text")
    if words:
        reason = f"{folder.architecture} gives a weight to each word of the vocabulary: a sparse embedding"
        return Choice(_by_axes(TEXT_VECTOR), reason)
    return None


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
