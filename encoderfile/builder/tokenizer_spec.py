"""How texts are truncated and padded, from the tokenizer's files and the options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from encoderfile.builder.config import TokenizerOptions
from encoderfile.builder.folder import ModelFolder
from encoderfile.builder.limits import Table, limit
from encoderfile.builder.vocabulary import Vocabulary, content_of
from encoderfile.errors import ModelError
from encoderfile.manifest import TokenizerSpec


def tokenizer_spec(
    folder: ModelFolder, options: TokenizerOptions, fixed_tokens: int | None, tables: Sequence[Table] = ()
) -> TokenizerSpec:
    """Limit, padding and truncation.

    The limit is that of the model's own library (`limits`); an option may lower it, or raise it to what the graph
    takes. Raises `ConfigError` for more.
    """
    config = folder.tokenizer_config
    found = limit(folder, fixed_tokens, tables)
    found.refuse("--max-length", options.max_length)
    found.refuse("pad_strategy fixed", options.fixed_length)
    given = min((n for n in (options.max_length, options.fixed_length) if n is not None), default=None)
    vocabulary = Vocabulary(folder.tokenizer_json)
    return TokenizerSpec(
        max_length=given or found.tokens,
        pad_token_id=_pad_token_id(folder, vocabulary),
        pad_token_type_id=int(config.get("pad_token_type_id") or 0),
        token_types="token_type_ids" in config.get("model_input_names", ["token_type_ids"]),
        padding_side=_side(config, "padding_side"),
        pad_to=options.fixed_length,
        truncation_side=options.truncation_side or _side(config, "truncation_side"),
        truncation_strategy=options.truncation_strategy or "longest_first",
        stride=options.stride,
        split_special_tokens=bool(config.get("split_special_tokens", False)),
        unknown_token_id=_unknown_token_id(folder, vocabulary),
    )


def _side(config: Mapping[str, Any], key: str) -> str:
    side = config.get(key) or "right"
    if side not in ("left", "right"):
        raise ModelError(f"{key} in tokenizer_config.json is {side}: correct it to left or right")
    return str(side)


def _pad_token_id(folder: ModelFolder, vocabulary: Vocabulary) -> int:
    token = content_of(folder.tokenizer_config.get("pad_token"))
    found = None if token is None else vocabulary.id_of(token)
    if token is not None and found is None:
        raise ModelError(
            f"tokenizer.json has no padding token {token}, which tokenizer_config.json names: "
            "the two belong to different models, export the tokenizer again"
        )
    if found is not None:
        return found
    for value in (folder.config.get("pad_token_id"), (folder.tokenizer_json.get("padding") or {}).get("pad_id")):
        if isinstance(value, int) and value >= 0:
            return value
    return 0  # Never seen by the model: the attention mask hides it.


def _unknown_token_id(folder: ModelFolder, vocabulary: Vocabulary) -> int | None:
    """The token for what is not in the vocabulary: that of tokenizer_config.json, else the vocabulary's own."""
    model = folder.tokenizer_json.get("model") or {}
    named, own = (content_of(each.get("unk_token")) for each in (folder.tokenizer_config, model))
    for token in (named, own):
        if token is not None and (found := vocabulary.id_of(token)) is not None:
            return found
    index = model.get("unk_id")
    return index if isinstance(index, int) else None
