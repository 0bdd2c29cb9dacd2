"""How sentence_bert_config.json has the tokenizer and the model called: what is done so, and what is refused.

Source: sentence_transformers/base/modules/transformer.py, `preprocess` and `config_keys`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from encoderfile.builder.folder import ModelFolder
from encoderfile.errors import ModelError
from encoderfile.model.session import ValueInfo

_ANY_WAY = frozenset({"padding", "padding_side", "pad_to_multiple_of", "return_tensors", "return_attention_mask"})
"""Arguments of the tokenizer that change no number."""
_AS_ALWAYS: Mapping[str, tuple[object, ...]] = {
    "truncation": (True, "longest_first"),
    "add_special_tokens": (True,),
}
"""Arguments that do, with the values that are done here."""


def max_length(folder: ModelFolder) -> object:
    """The length that texts are cut to in each call, which counts before the tokenizer's own; None for none."""
    return _arguments(folder).get("max_length")


def refuse_others(folder: ModelFolder, output: ValueInfo) -> None:
    """Raises `ModelError` for texts that are read in another way than here, or for another output than `output`."""
    if "message" in _object(folder.sentence_bert.get("modality_config")):
        raise ModelError(
            "sentence_bert_config.json has texts read as messages of a chat (modality_config), which is not built "
            "here: answers would differ"
        )
    if folder.sentence_bert.get("module_output_name") == "sentence_embedding" and len(output.shape) == 3:
        raise ModelError(
            f"sentence_bert_config.json takes a vector per text from the model, and {output.name} gives vectors of "
            "tokens: export with `--library-name sentence_transformers`"
        )
    for name, value in _arguments(folder).items():
        if name not in _ANY_WAY and name != "max_length" and value not in _AS_ALWAYS.get(name, ()):
            raise ModelError(
                f"sentence_bert_config.json calls the tokenizer with {name} {value!r} (processing_kwargs), which is "
                "not done here: answers would differ"
            )


def _arguments(folder: ModelFolder) -> Mapping[str, Any]:
    given = _object(folder.sentence_bert.get("processing_kwargs"))
    return {**_object(given.get("text")), **_object(given.get("common"))}


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
