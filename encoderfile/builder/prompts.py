"""What config_sentence_transformers.json says of prompts, as sentence-transformers reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from encoderfile.builder.folder import ModelFolder
from encoderfile.errors import ModelError
from encoderfile.model.session import ValueInfo

_ALWAYS = frozenset({"query", "document"})
"""Names that the library has without any file, with nothing behind them."""

_VECTORS = frozenset({"embedding", "sentence_embedding"})


def facts(folder: ModelFolder, model_type: str, output: ValueInfo) -> dict[str, Any]:
    """What the manifest says of prompts: `prompts`, `default_prompt_name`, `include_prompt`.

    A classifier has none unless it is a CrossEncoder. Raises `ModelError` for prompts that are no texts, for a
    default without a text, and for a graph that pools a prompt which should be left out.
    """
    config = folder.sentence_transformers
    if model_type not in _VECTORS and config.get("model_type") != "CrossEncoder":
        return {}
    named = _texts(config.get("prompts") or {})
    default = config.get("default_prompt_name")
    if default is not None and (not isinstance(default, str) or default not in {*named, *_ALWAYS}):
        raise ModelError(
            f"config_sentence_transformers.json has the default_prompt_name {default!r} and no such prompt "
            f"(its prompts: {', '.join(named) or 'none'}): correct the one or the other"
        )
    include = _included(folder)
    if not include and len(output.shape) == 2:
        raise ModelError(
            f"the output {output.name} is pooled with the prompt in it, and include_prompt is false in the pooling "
            "module's config.json: export with an output token_embeddings or last_hidden_state alone"
        )
    return {"prompts": named, "default_prompt_name": default, "include_prompt": include}


def poolable(folder: ModelFolder, outputs: Sequence[ValueInfo]) -> Sequence[ValueInfo]:
    """The outputs to choose from: vectors of tokens alone, where there are any and a prompt must be left out."""
    if _included(folder):
        return outputs
    return [output for output in outputs if len(output.shape) != 2] or outputs


def _included(folder: ModelFolder) -> bool:
    return folder.pooling.get("include_prompt") is not False


def _texts(named: object) -> dict[str, str]:
    if not isinstance(named, Mapping):
        raise ModelError("config_sentence_transformers.json has prompts that are no object of names and texts")
    for name, text in named.items():
        if text is not None and not isinstance(text, str):
            raise ModelError(f"config_sentence_transformers.json has a prompt {name} that is no text: correct it")
    return {name: text or "" for name, text in named.items()}
