"""What tokenizer_config.json changes of tokenizer.json, as transformers' fast tokenizers do when they load.

There the class named by `tokenizer_class` rewrites parts of the tokenizer at every start; here it is done once, at
build, so that the file ships the tokenizer that really answers. Sources: transformers/tokenization_utils_fast.py
and the `__init__` of models/{bert,mpnet,roberta}/tokenization_*_fast.py.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from encoderfile.errors import ModelError

Json = dict[str, Any]

_LOWERS_AND_SPLITS = frozenset(
    ["Bert", "ConvBert", "DistilBert", "Electra", "Funnel", "LayoutLM", "Lxmert", "MobileBert", "SqueezeBert"]
)
_LOWERS = frozenset({"MPNet", "Splinter"})
_TRIMS_OFFSETS = frozenset({"Roberta", "Longformer", "LED", "Bart", "Mvp", "Blenderbot"})
_NEEDS_A_DICTIONARY = {
    "RoFormer": "rjieba",
    "BertJapanese": "MeCab or SudachiPy",
    "RoCBert": "glyphs and sounds of characters",
}
_FLAGS = ("single_word", "lstrip", "rstrip", "normalized", "special")


def ruled(tokenizer: Mapping[str, Any], config: Mapping[str, Any]) -> Json | None:
    """tokenizer.json as the reference would use it beside this tokenizer_config.json; None when it stays as it is.

    Raises `ModelError` for a class that splits text by means that tokenizer.json cannot hold.
    """
    changed: Json = copy.deepcopy(dict(tokenizer))
    family = str(config.get("tokenizer_class") or "").removesuffix("Fast").removesuffix("Tokenizer")
    if family in _NEEDS_A_DICTIONARY:
        raise ModelError(
            f"the tokenizer {family}Tokenizer splits text with {_NEEDS_A_DICTIONARY[family]}, which tokenizer.json "
            "cannot hold: answers would differ, so this model cannot be built"
        )
    _rule_normalizer(changed, config, family)
    _rule_prefix_space(changed, config, family)
    _rule_added_tokens(changed, config)
    return None if changed == tokenizer else changed


def _rule_normalizer(tokenizer: Json, config: Mapping[str, Any], family: str) -> None:
    wanted = {}
    if family in _LOWERS | _LOWERS_AND_SPLITS:
        wanted = {"lowercase": config.get("do_lower_case", True), "strip_accents": config.get("strip_accents")}
    if family in _LOWERS_AND_SPLITS:
        wanted["handle_chinese_chars"] = config.get("tokenize_chinese_chars", True)
    normalizer = tokenizer.get("normalizer") or {}
    # Other kinds lack these keys, and what a kind lacks is never set.
    if normalizer.get("type") == "BertNormalizer":
        normalizer.update(wanted)


def _rule_prefix_space(tokenizer: Json, config: Mapping[str, Any], family: str) -> None:
    """Byte-level tokenizers put a space before the text only where tokenizer_config.json says so."""
    prefix = bool(config.get("add_prefix_space", False))
    splitter = tokenizer.get("pre_tokenizer") or {}
    if splitter.get("type") == "ByteLevel":
        splitter["add_prefix_space"] = prefix
    finisher = tokenizer.get("post_processor") or {}
    if family in _TRIMS_OFFSETS and finisher.get("type") in ("RobertaProcessing", "ByteLevel"):
        finisher["add_prefix_space"] = prefix
        finisher["trim_offsets"] = bool(config.get("trim_offsets", True))


def _rule_added_tokens(tokenizer: Json, config: Mapping[str, Any]) -> None:
    """Tokens of `added_tokens_decoder` replace those of tokenizer.json that are spelled alike, or join them."""
    wanted = config.get("added_tokens_decoder")
    if not isinstance(wanted, Mapping):
        return
    present = {token.get("content"): token for token in tokenizer.setdefault("added_tokens", [])}
    pieces = _pieces((tokenizer.get("model") or {}).get("vocab") or {})
    for index, token in sorted(wanted.items(), key=lambda item: int(item[0])):
        content = token.get("content")
        flags = {flag: bool(token.get(flag, False)) for flag in _FLAGS}
        if content in present:
            present[content].update(flags)
        elif pieces.get(int(index), content) == content:  # otherwise the id is taken, by another model's token
            tokenizer["added_tokens"].append({"id": int(index), "content": content, **flags})
    tokenizer["added_tokens"].sort(key=lambda token: int(token["id"]))


def _pieces(vocabulary: Any) -> dict[int, str]:
    """The vocabulary by id; Unigram's is a list of pieces and their weights."""
    if isinstance(vocabulary, Mapping):
        return {index: piece for piece, index in vocabulary.items()}
    return {index: entry[0] for index, entry in enumerate(vocabulary)}
