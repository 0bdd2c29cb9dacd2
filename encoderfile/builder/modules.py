"""What modules.json does behind the transformer: pooling and normalisation, which are done here, and the rest.

Sources: sentence_transformers' modules `Pooling`, `SpladePooling`, `Normalize`, `Dropout`, `Router`, `Dense`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from encoderfile.builder.folder import ModelFolder
from encoderfile.builder.module_files import Module
from encoderfile.errors import ModelError
from encoderfile.manifest import PoolingSpec
from encoderfile.model.session import ValueInfo
from encoderfile.tasks.pooling import POOLING, SPARSE, sparse_mode

MASKED_WORDS = ("ForMaskedLM", "ForPreTraining")
"""Endings of the architectures whose logits are weights of words."""

TOKEN_VECTORS = ("last_hidden_state", "token_embeddings")
"""Names of outputs that are the vectors of tokens, best first."""

_IN_THE_GRAPH = frozenset({"Transformer", "MLMTransformer"})
_NOTHING = frozenset({"Dropout"})
"""What changes no number once a model is trained."""
_DONE = _IN_THE_GRAPH | _NOTHING | {"Pooling", "SpladePooling", "Normalize"}


def is_sparse(folder: ModelFolder) -> bool:
    """Whether the vectors are SPLADE's, a weight for each word."""
    return any(module.kind == "SpladePooling" for module in folder.modules)


def pools(folder: ModelFolder) -> bool:
    """Whether the files describe a sentence-transformers model."""
    return bool(folder.pooling) or any(module.kind not in _IN_THE_GRAPH for module in folder.modules)


def has_dense(folder: ModelFolder) -> bool:
    """Whether vectors go through linear layers once they are pooled."""
    return any(module.kind == "Dense" for module in folder.modules)


def hidden_size(folder: ModelFolder) -> int | None:
    """The size of a token's vector, as config.json says it under one of its names."""
    named = (folder.config.get(name) for name in ("hidden_size", "dim", "d_model", "n_embd"))
    return next((size for size in named if isinstance(size, int)), None)


def vector_size(folder: ModelFolder) -> int | None:
    """The size of a text's vector behind all modules; None where the files do not say it."""
    dense = [module.config.get("out_features") for module in folder.modules if module.kind == "Dense"]
    if dense:
        return dense[-1] if isinstance(dense[-1], int) else None
    hidden = hidden_size(folder)
    return None if hidden is None else hidden * len(_modes(folder.pooling))


def vector_pooling(folder: ModelFolder, model_type: str, output: ValueInfo) -> PoolingSpec | None:
    """How the vectors of this graph's output become one; None where they are one already, or no vectors.

    Raises `ModelError` where the files ask for what is not built here.
    """
    if model_type == "sentence_embedding":
        if len(output.shape) == 2:
            dense = next((module for module in reversed(folder.modules) if module.kind == "Dense"), None)
            if dense is not None and output.shape[-1] not in (None, vector_size(folder)):
                raise _missing(dense)
            return _finish(folder)
        return _of_words(folder, output) if _gives_words(folder, output) else pooling(folder)
    if model_type == "embedding" and pools(folder):
        left_out = next((module for module in folder.modules if module.kind not in _DONE), None)
        if left_out is not None:
            raise ModelError(
                f"--model-type embedding would leave the {left_out.kind} module of modules.json out of a text's "
                "vector: leave the flag out, or for the vectors of tokens alone take modules.json and 1_Pooling away"
            )
        return pooling(folder)
    return None


def pooling(folder: ModelFolder) -> PoolingSpec:
    """From token vectors to one, as the sentence-transformers files say; the mean as it is without them.

    Raises `ModelError` for a module or a mode that would change answers and is not built here.
    """
    modes: tuple[str, ...] = () if folder.modules else _modes(folder.pooling)
    normalize = False
    for module in folder.modules:
        if module.kind == "Pooling":
            if not module.config:
                raise ModelError(
                    f"modules.json names {module.path or 'a Pooling module'}, whose config.json is missing: "
                    "copy it from the original model"
                )
            modes, normalize = _modes(module.config), False
        elif module.kind == "SpladePooling":
            modes, normalize = _sparse(module.config), False
        elif module.kind == "Normalize":
            normalize = bool(modes)  # before the pooling there is no vector yet
        elif module.kind not in _DONE:
            raise _missing(module)
    return PoolingSpec(modes=modes or ("mean",), normalize=normalize)


def _finish(folder: ModelFolder) -> PoolingSpec | None:
    """What is left to do for vectors that the graph has pooled: to normalise them, where the modules end so.

    A graph that has normalised them gives the same again.
    """
    kinds = [module.kind for module in folder.modules if module.kind not in _NOTHING]
    return PoolingSpec(modes=(), normalize=True) if kinds and kinds[-1] == "Normalize" else None


def _gives_words(folder: ModelFolder, output: ValueInfo) -> bool:
    """Whether [batch, tokens, width] is a weight for each word instead of a vector."""
    masked = folder.architecture.endswith(MASKED_WORDS) and output.plain not in TOKEN_VECTORS
    return output.plain == "logits" or is_sparse(folder) or (masked and output.shape[-1] != hidden_size(folder))


def _of_words(folder: ModelFolder, output: ValueInfo) -> PoolingSpec:
    """The sparse pooling of the files; without them SPLADE's own, for a model of masked words."""
    if output.plain in TOKEN_VECTORS:
        raise ModelError(
            f"SpladePooling of modules.json takes logits of words, and {output.name} gives vectors of tokens: "
            "export it with `--task fill-mask`"
        )
    if pools(folder):
        found = pooling(folder)
        if is_sparse(folder):
            return found
        raise ModelError(
            "modules.json pools the vectors of tokens, the graph gives logits of words: export it with "
            "`--task feature-extraction`"
        )
    if not folder.architecture.endswith(MASKED_WORDS):
        raise ModelError(
            f"logits of {folder.architecture or 'an unknown architecture'} are no sentence embedding, only those of "
            "a model of masked words are: choose another --model-type"
        )
    return PoolingSpec((sparse_mode(),))


def _missing(module: Module) -> ModelError:
    if "StaticEmbedding" in module.kind:
        return ModelError(
            f"texts without a purpose take a {module.kind}, which is no graph: set default_route in "
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
        raise ModelError(f"the pooling mode {unknown[0]} is not known here: known are {', '.join(POOLING)}")
    return tuple(modes) or ("mean",)


def _sparse(config: Mapping[str, Any]) -> tuple[str]:
    mode = sparse_mode(str(config.get("pooling_strategy", "max")), str(config.get("activation_function", "relu")))
    if mode not in SPARSE:
        raise ModelError(
            f"the sparse pooling {config.get('pooling_strategy')} with {config.get('activation_function')} is not "
            "known here: known are max and sum with relu and log1p_relu"
        )
    return (mode,)
