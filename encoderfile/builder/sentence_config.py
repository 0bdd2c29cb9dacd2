"""What the configs of sentence-transformers say of prompts, sizes of vectors and how the tokenizer is called.

Source: sentence_transformers/base/modules/transformer.py, `preprocess` and `config_keys`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from encoderfile.builder.folder import ModelFolder
from encoderfile.errors import ModelError
from encoderfile.model.session import ValueInfo
from encoderfile.tasks import TASKS

_NO_EFFECT = frozenset({"padding", "padding_side", "pad_to_multiple_of", "return_tensors", "return_attention_mask"})
"""Arguments of the tokenizer that change no number."""
_SUPPORTED: Mapping[str, tuple[object, ...]] = {
    "truncation": (True, "longest_first"),
    "add_special_tokens": (True,),
}
"""Arguments that change numbers, with the values that are supported."""

_PREDEFINED = frozenset({"query", "document"})
"""Names that the library knows without any file; their prompts are empty."""


def call_length(folder: ModelFolder) -> object:
    """The length at which each call truncates, which takes precedence over the tokenizer's own; None for none."""
    return _arguments(folder).get("max_length")


def refuse_unsupported(folder: ModelFolder, output: ValueInfo, *, reads_messages: bool = False) -> None:
    """Raises `ModelError` for settings that would change answers and are not supported.

    Those are texts read as chat messages, an output other than `output`, and other arguments of the tokenizer.
    """
    if not reads_messages and "message" in _object(folder.sentence_bert.get("modality_config")):
        raise ModelError(
            "sentence_bert_config.json reads texts as chat messages (modality_config), which is not supported: "
            "answers would differ"
        )
    if folder.sentence_bert.get("module_output_name") == "sentence_embedding" and len(output.shape) == 3:
        raise ModelError(
            f"sentence_bert_config.json takes one vector per text from the model, and {output.name} gives one per "
            "token: export with `--library-name sentence_transformers`"
        )
    for name, value in _arguments(folder).items():
        if name not in _NO_EFFECT and name != "max_length" and value not in _SUPPORTED.get(name, ()):
            raise ModelError(
                f"sentence_bert_config.json calls the tokenizer with {name}={value!r} (processing_kwargs), which is "
                "not supported: answers would differ"
            )


def _arguments(folder: ModelFolder) -> Mapping[str, Any]:
    given = _object(folder.sentence_bert.get("processing_kwargs"))
    return {**_object(given.get("text")), **_object(given.get("common"))}


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def prompt_facts(folder: ModelFolder, model_type: str, output: ValueInfo) -> dict[str, Any]:
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


def matryoshka(folder: ModelFolder) -> tuple[bool, tuple[int, ...]]:
    """Whether config.json allows vectors to be truncated, and the only sizes allowed, where it lists them."""
    listed = folder.config.get("matryoshka_dimensions")
    sizes = sorted({size for size in listed if isinstance(size, int)}) if isinstance(listed, list) else []
    return bool(listed) or folder.config.get("is_matryoshka") is True, tuple(sizes)


def similarity(folder: ModelFolder, model_type: str) -> str | None:
    """`similarity_fn_name`, for models that give vectors of texts; None where the files do not say it."""
    named = folder.sentence_transformers.get("similarity_fn_name")
    return named if TASKS[model_type].pools and isinstance(named, str) else None
