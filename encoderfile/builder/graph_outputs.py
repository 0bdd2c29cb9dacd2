"""Which output of the graph a model type takes.

Each type declares the outputs it accepts (`Task.outputs`), the best first. One that the exporter named differently is
found by its shape where there is no doubt, or chosen by `--output`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

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
