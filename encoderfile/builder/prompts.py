"""The prompts in config_sentence_transformers.json, as sentence-transformers reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from encoderfile.builder.folder import ModelFolder
from encoderfile.errors import ModelError
from encoderfile.model.session import ValueInfo
from encoderfile.tasks import TASKS

_PREDEFINED = frozenset({"query", "document"})
"""Names that the library knows without any file; their prompts are empty."""


def facts(folder: ModelFolder, model_type: str, output: ValueInfo) -> dict[str, Any]:
    """What the manifest says of prompts: `prompts`, `default_prompt_name`, `include_prompt`.

    A classifier has none unless it is a CrossEncoder. Raises `ModelError` for prompts that are not strings, for a
    default that is not among them, and for a graph that pools a prompt which should be left out.
    """
    config = folder.sentence_transformers
    if not TASKS[model_type].takes_prompt and config.get("model_type") != "CrossEncoder":
        return {}
    named = _prompts(config.get("prompts") or {})
    default = config.get("default_prompt_name")
    if default is not None and (not isinstance(default, str) or default not in {*named, *_PREDEFINED}):
        raise ModelError(
            f"config_sentence_transformers.json has the default_prompt_name {default!r} and no such prompt "
            f"(its prompts: {', '.join(named) or 'none'}): correct one of the two"
        )
    include = _includes_prompt(folder)
    if not include and len(output.shape) == 2:
        raise ModelError(
            f"the output {output.name} is pooled with the prompt in it, and include_prompt is false in the pooling "
            "module's config.json: export with an output token_embeddings or last_hidden_state alone"
        )
    return {"prompts": named, "default_prompt_name": default, "include_prompt": include}


def poolable(folder: ModelFolder, outputs: Sequence[ValueInfo]) -> Sequence[ValueInfo]:
    """The outputs to choose from: token vectors alone, where a prompt must be left out of pooling."""
    if _includes_prompt(folder):
        return outputs
    return [output for output in outputs if len(output.shape) != 2] or outputs


def _includes_prompt(folder: ModelFolder) -> bool:
    return folder.pooling.get("include_prompt") is not False


def _prompts(named: object) -> dict[str, str]:
    if not isinstance(named, Mapping):
        raise ModelError("prompts in config_sentence_transformers.json should be an object of names and strings")
    for name, text in named.items():
        if text is not None and not isinstance(text, str):
            raise ModelError(f"the prompt {name} in config_sentence_transformers.json should be a string")
    return {name: text or "" for name, text in named.items()}
