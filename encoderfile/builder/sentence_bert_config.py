"""How sentence_bert_config.json calls the tokenizer and the model: what is supported, and what is refused.

Source: sentence_transformers/base/modules/transformer.py, `preprocess` and `config_keys`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from encoderfile.builder.folder import ModelFolder
from encoderfile.errors import ModelError
from encoderfile.model.session import ValueInfo

_NO_EFFECT = frozenset({"padding", "padding_side", "pad_to_multiple_of", "return_tensors", "return_attention_mask"})
"""Arguments of the tokenizer that change no number."""
_SUPPORTED: Mapping[str, tuple[object, ...]] = {
    "truncation": (True, "longest_first"),
    "add_special_tokens": (True,),
}
"""Arguments that change numbers, with the values that are supported."""


def max_length(folder: ModelFolder) -> object:
    """The length at which each call truncates, which takes precedence over the tokenizer's own; None for none."""
    return _arguments(folder).get("max_length")


def refuse_unsupported(folder: ModelFolder, output: ValueInfo) -> None:
    """Raises `ModelError` for settings that would change answers and are not supported.

    Those are texts read as chat messages, an output other than `output`, and other arguments of the tokenizer.
    """
    if "message" in _object(folder.sentence_bert.get("modality_config")):
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
