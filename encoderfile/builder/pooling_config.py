"""Pooling and normalisation as sentence-transformers' modules say, and which other modules are in the graph.

Sources: sentence_transformers' modules `Pooling`, `SpladePooling`, `Normalize`, `Dropout`, `Router`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from encoderfile.builder.folder import ModelFolder
from encoderfile.builder.layers import layer
from encoderfile.builder.modules_json import Module
from encoderfile.errors import ModelError
from encoderfile.manifest import LayerSpec, PoolingSpec
from encoderfile.model.session import ValueInfo
from encoderfile.tasks import TASKS
from encoderfile.tasks.pooling import POOLING, SPARSE, sparse_mode

MASKED_LM = ("ForMaskedLM", "ForPreTraining")
"""How architectures end whose logits are a weight for each word of the vocabulary."""

TOKEN_VECTORS = ("last_hidden_state", "token_embeddings")
"""Names of outputs that are one vector per token, best first."""

_IN_THE_GRAPH = frozenset({"Transformer", "MLMTransformer"})
_NO_EFFECT = frozenset({"Dropout"})
"""Modules that change no number once a model is trained."""
_LAYERS = frozenset({"Dense", "LayerNorm"})
_SUPPORTED = _IN_THE_GRAPH | _NO_EFFECT | _LAYERS | {"Pooling", "SpladePooling", "Normalize"}


def is_sparse(folder: ModelFolder) -> bool:
    """Whether the vectors are SPLADE's: a weight for each word of the vocabulary."""
    return any(module.kind == "SpladePooling" for module in folder.modules)


def pools(folder: ModelFolder) -> bool:
    """Whether the files describe a sentence-transformers model."""
    return bool(folder.pooling) or any(module.kind not in _IN_THE_GRAPH for module in folder.modules)


def has_dense(folder: ModelFolder) -> bool:
    """Whether vectors go through linear layers after the pooling."""
    return any(module.kind == "Dense" for module in folder.modules)


def hidden_size(folder: ModelFolder) -> int | None:
    """The size of a token's vector, which config.json has under one of several names."""
    named = (folder.config.get(name) for name in ("hidden_size", "dim", "d_model", "n_embd"))
    return next((size for size in named if isinstance(size, int)), None)


def vector_size(folder: ModelFolder) -> int | None:
    """The size of a text's vector after all modules; None where the files do not say it."""
    dense = [module.config.get("out_features") for module in folder.modules if module.kind == "Dense"]
    if dense:
        return dense[-1] if isinstance(dense[-1], int) else None
    return pooled_size(folder)


def pooled_size(folder: ModelFolder) -> int | None:
    """The size of a text's vector after the pooling alone; None where the files do not say it."""
    hidden = hidden_size(folder)
    return None if hidden is None else hidden * len(_modes(folder.pooling))


def vector_pooling(folder: ModelFolder, model_type: str, output: ValueInfo) -> PoolingSpec | None:
    """How the vectors of this graph's output become one per text; None where nothing is left to do.

    Raises `ModelError` where the files ask for what is not supported.
    """
    task = TASKS[model_type]
    if not task.pools:
        return None
    if all("tokens" in each.axes for each in task.outputs):  # a type that pools only where a request asks for it
        left_out = next((module for module in folder.modules if module.kind not in _SUPPORTED), None)
        if left_out is not None:
            raise ModelError(
                f"--model-type {model_type} would leave the {left_out.kind} module of modules.json out of a text's "
                "vector: leave the flag out, or remove modules.json and 1_Pooling to get token vectors alone"
            )
        return pooling(folder) if pools(folder) else None
    if len(output.shape) == 2:
        if not has_dense(folder) or output.shape[-1] in (None, vector_size(folder)):
            return _after_the_graph(folder)
        if output.shape[-1] != pooled_size(folder):
            raise _not_in_the_graph(next(module for module in folder.modules if module.kind == "Dense"))
        return dataclasses.replace(pooling(folder), modes=())
    return _of_words(folder, output) if _gives_words(folder, output) else pooling(folder)


def pooling(folder: ModelFolder) -> PoolingSpec:
    """From token vectors to one, as the sentence-transformers files say; without them the mean, not normalised.

    Raises `ModelError` for a module or a mode that would change answers and is not supported.
    """
    modes: tuple[str, ...] = () if folder.modules else _modes(folder.pooling)
    normalize = False
    layers: tuple[LayerSpec, ...] = ()
    for module in folder.modules:
        if module.kind == "Pooling":
            if not module.config:
                raise ModelError(
                    f"modules.json names {module.path or 'a Pooling module'}, whose config.json is missing: "
                    "copy it from the original model"
                )
            modes, normalize, layers = _modes(module.config), False, ()
        elif module.kind == "SpladePooling":
            modes, normalize, layers = _sparse(module.config), False, ()
        elif module.kind == "Normalize":
            normalize = bool(modes)  # before the pooling there is no vector yet
        elif (found := layer(module)) is not None and modes and modes[0] not in SPARSE:
            layers = (*layers, LayerSpec("normalize"), found) if normalize else (*layers, found)
            normalize = False
        elif module.kind not in _IN_THE_GRAPH | _NO_EFFECT:
            raise _not_in_the_graph(module)
    return PoolingSpec(modes or ("mean",), normalize, layers)


def _after_the_graph(folder: ModelFolder) -> PoolingSpec | None:
    """What is left to do for vectors that the graph has pooled: to normalise them, where that is the last module.

    A graph that has normalised them itself gives the same again.
    """
    kinds = [module.kind for module in folder.modules if module.kind not in _NO_EFFECT]
    return PoolingSpec(modes=(), normalize=True) if kinds and kinds[-1] == "Normalize" else None


def _gives_words(folder: ModelFolder, output: ValueInfo) -> bool:
    """Whether [batch, tokens, width] is a weight for each word of the vocabulary, not a vector."""
    masked = folder.architecture.endswith(MASKED_LM) and output.plain not in TOKEN_VECTORS
    return output.plain == "logits" or is_sparse(folder) or (masked and output.shape[-1] != hidden_size(folder))


def _of_words(folder: ModelFolder, output: ValueInfo) -> PoolingSpec:
    """The sparse pooling of the files; without them SPLADE's own, for a masked language model."""
    if output.plain in TOKEN_VECTORS:
        raise ModelError(
            f"SpladePooling of modules.json needs the logits of a masked language model, and {output.name} gives "
            "token vectors: export it with `--task fill-mask`"
        )
    if pools(folder):
        found = pooling(folder)
        if is_sparse(folder):
            return found
        raise ModelError(
            "modules.json pools token vectors, and the graph gives the logits of a masked language model: export it "
            "with `--task feature-extraction`"
        )
    if not folder.architecture.endswith(MASKED_LM):
        raise ModelError(
            f"the logits of {folder.architecture or 'an unknown architecture'} cannot be pooled into a vector, only "
            "those of a masked language model can: choose another --model-type"
        )
    return PoolingSpec((sparse_mode(),))


def _not_in_the_graph(module: Module) -> ModelError:
    if "StaticEmbedding" in module.kind:
        return ModelError(
            f"texts without a purpose go through a {module.kind}, which has no graph: set default_route in "
            "router_config.json to a route with a Transformer"
        )
    return ModelError(
        f"modules.json has a {module.kind} module, which is not part of the graph: export with "
        "`--library-name sentence_transformers`, which puts every module into the graph"
    )


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
        raise ModelError(f"the pooling mode {unknown[0]} is not supported: only {', '.join(POOLING)} are")
    return tuple(modes) or ("mean",)


def _sparse(config: Mapping[str, Any]) -> tuple[str]:
    mode = sparse_mode(str(config.get("pooling_strategy", "max")), str(config.get("activation_function", "relu")))
    if mode not in SPARSE:
        raise ModelError(
            f"the sparse pooling {config.get('pooling_strategy')} with {config.get('activation_function')} is not "
            "supported: only max and sum with relu and log1p_relu are"
        )
    return (mode,)
