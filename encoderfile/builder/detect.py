"""What the folder's files say of the model: its prompts, its limit, its padding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard

from encoderfile.builder.config import TokenizerWishes
from encoderfile.builder.folder import ModelFolder
from encoderfile.errors import ConfigError, ModelError
from encoderfile.manifest import TokenizerSpec

NO_LIMIT = 1_000_000_000
"""Tokenizers without a limit carry a number far above any real length (1e30 and the like)."""

FALLBACK_LENGTH = 512
"""Used when no file names a limit, as BERT and its kind have it."""

# Position ids of these begin behind the padding id (fairseq's way), so the table holds so many rows more.
_POSITIONS_AFTER_PADDING = frozenset(
    [
        "camembert",
        "data2vec-text",
        "ibert",
        "longformer",
        "mpnet",
        "roberta",
        "roberta-prelayernorm",
        "xlm-roberta",
        "xlm-roberta-xl",
        "xmod",
    ]
)
# Positions here are relative or rotary without a table: `max_position_embeddings` does not bound the input.
_UNBOUNDED_POSITIONS = frozenset({"t5", "mt5", "xlnet", "funnel"})
# Relative as well, but for an absolute table that config.json may switch off, and usually does.
_PERHAPS_UNBOUNDED_POSITIONS = frozenset({"deberta", "deberta-v2"})


def prompts(folder: ModelFolder) -> dict[str, str]:
    """What sentence-transformers puts before queries and before documents, where the model's files say so.

    Its names for documents are tried in its own order. A model that leaves its prompt out of the pooling
    (`include_prompt`) gets none: that is not built here.
    """
    named = folder.sentence_transformers.get("prompts") or {}
    if not isinstance(named, Mapping) or folder.pooling.get("include_prompt") is False:
        return {}
    found = {}
    for purpose, names in (("query", ("query",)), ("document", ("document", "passage", "corpus"))):
        prompt = next((named[name] for name in names if isinstance(named.get(name), str)), "")
        if prompt:
            found[purpose] = prompt
    return found


def matryoshka(folder: ModelFolder) -> tuple[bool, tuple[int, ...]]:
    """Whether config.json marks the vectors as ones that may be cut, and the only sizes, where it lists them."""
    listed = folder.config.get("matryoshka_dimensions")
    sizes = sorted({size for size in listed if isinstance(size, int)}) if isinstance(listed, list) else []
    return bool(listed) or folder.config.get("is_matryoshka") is True, tuple(sizes)


def tokenizer_spec(folder: ModelFolder, wishes: TokenizerWishes, fixed_tokens: int | None) -> TokenizerSpec:
    """Limit, padding and truncation.

    The limit is the smallest of `model_max_length`, `max_seq_length`, what the position table allows and
    `fixed_tokens`, the length of a graph of fixed shape; a wanted one may lower it. Raises `ConfigError` for
    one that would raise it.
    """
    config = folder.tokenizer_config
    limit, origin = _limit(folder, fixed_tokens)
    for flag, asked in (("--max-length", wishes.max_length), ("pad_strategy fixed", wishes.fixed_length)):
        if asked is not None and limit is not None and asked > limit:
            raise ConfigError(f"{flag} {asked} is more than the model takes: at most {limit} tokens ({origin})")
    wanted = min((n for n in (wishes.max_length, wishes.fixed_length) if n is not None), default=None)
    return TokenizerSpec(
        max_length=wanted or limit or _trained_length(folder.config),
        pad_token_id=_pad_token_id(folder),
        pad_token_type_id=int(config.get("pad_token_type_id") or 0),
        token_types="token_type_ids" in config.get("model_input_names", ["token_type_ids"]),
        padding_side=_side(config, "padding_side"),
        pad_to=wishes.fixed_length,
        truncation_side=wishes.truncation_side or _side(config, "truncation_side"),
        truncation_strategy=wishes.truncation_strategy or "longest_first",
        stride=wishes.stride,
        split_special_tokens=bool(config.get("split_special_tokens", False)),
        unknown_token_id=_unknown_token_id(folder),
    )


def _limit(folder: ModelFolder, fixed_tokens: int | None) -> tuple[int | None, str]:
    candidates = (
        (folder.tokenizer_config.get("model_max_length"), "model_max_length in tokenizer_config.json"),
        (folder.sentence_bert.get("max_seq_length"), "max_seq_length in sentence_bert_config.json"),
        (_positions(folder.config), "the position embeddings in config.json"),
        (fixed_tokens, "the fixed shape of the graph"),
    )
    limits = [(int(value), origin) for value, origin in candidates if _is_limit(value)]
    if limits:
        return min(limits)
    # Many tokenizers were saved with the truncation of their last call, so it counts only where nothing else does.
    own = (folder.tokenizer_json.get("truncation") or {}).get("max_length")
    return (int(own), "truncation in tokenizer.json") if _is_limit(own) else (None, "")


def _is_limit(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < NO_LIMIT


def _side(config: Mapping[str, Any], key: str) -> str:
    side = config.get(key) or "right"
    if side not in ("left", "right"):
        raise ModelError(f"tokenizer_config.json has the {key} {side}: correct it to left or right")
    return str(side)


def _trained_length(config: Mapping[str, Any]) -> int:
    """What a model without any limit was made for; --max-length may go beyond."""
    rows = config.get("max_position_embeddings")
    return rows if isinstance(rows, int) and rows > 0 else FALLBACK_LENGTH


def _positions(config: Mapping[str, Any]) -> int | None:
    """How many tokens the table of position embeddings takes, or None where there is no table."""
    model_type = str(config.get("model_type", ""))
    rows = config.get("max_position_embeddings") or config.get("n_positions")
    if not isinstance(rows, int) or rows <= 0 or model_type in _UNBOUNDED_POSITIONS:
        return None
    if model_type in _PERHAPS_UNBOUNDED_POSITIONS and config.get("position_biased_input") is False:
        return None
    return rows - first_position(config)


def first_position(config: Mapping[str, Any]) -> int:
    """The position of a text's first token: 0, or in fairseq's way the one behind the padding id."""
    if str(config.get("model_type", "")) not in _POSITIONS_AFTER_PADDING:
        return 0
    padding = config.get("pad_token_id")
    return (padding if isinstance(padding, int) else 1) + 1


def _pad_token_id(folder: ModelFolder) -> int:
    token = folder.tokenizer_config.get("pad_token")
    if isinstance(token, Mapping):
        token = token.get("content")
    tokenizer = folder.tokenizer_json
    if isinstance(token, str):
        found = _vocabulary_id(tokenizer, token)
        if found is None:
            raise ModelError(
                f"tokenizer.json has no padding token {token}, which tokenizer_config.json names: "
                "the two belong to different models, export the tokenizer again"
            )
        return found
    for value in (folder.config.get("pad_token_id"), (tokenizer.get("padding") or {}).get("pad_id")):
        if isinstance(value, int) and value >= 0:
            return value
    return 0  # Never seen by the model: the attention mask hides it.


def _unknown_token_id(folder: ModelFolder) -> int | None:
    """The token that tokenizer_config.json names for what the vocabulary lacks; unnamed, the vocabulary's own."""
    model = folder.tokenizer_json.get("model") or {}
    token = folder.tokenizer_config.get("unk_token") or model.get("unk_token")
    if isinstance(token, Mapping):
        token = token.get("content")
    if isinstance(token, str):
        return _vocabulary_id(folder.tokenizer_json, token)
    own = model.get("unk_id")
    return own if isinstance(own, int) else None


def _vocabulary_id(tokenizer: Mapping[str, Any], token: str) -> int | None:
    for added in tokenizer.get("added_tokens") or ():
        if added.get("content") == token:
            return int(added["id"])
    vocabulary = (tokenizer.get("model") or {}).get("vocab") or {}
    if isinstance(vocabulary, Mapping):
        return vocabulary.get(token)
    pieces = [entry[0] for entry in vocabulary]
    return pieces.index(token) if token in pieces else None
