"""How texts are truncated and padded: where the model's own library does it, and what graph and memory allow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from encoderfile.builder.config import TokenizerOptions
from encoderfile.builder.folder import ModelFolder
from encoderfile.builder.onnx_graph import OnnxGraph
from encoderfile.builder.sentence_config import call_length
from encoderfile.builder.trial_runs import LONGEST_TRIAL
from encoderfile.builder.vocabulary import Vocabulary, content_of
from encoderfile.errors import ConfigError, ModelError
from encoderfile.manifest import TokenizerSpec

NO_LIMIT = 1_000_000_000
"""Tokenizers without a limit have a number far above any real length (1e30 and the like)."""

FALLBACK_LENGTH = 512
"""BERT's limit, used when no file has one."""

# Position ids of these begin after the padding id (as in fairseq), so the table has that many rows more.
_POSITIONS_AFTER_PADDING = frozenset(
    "camembert data2vec-text esm ibert layoutlmv3 lilt longformer luke markuplm mpnet roberta roberta-prelayernorm "
    "xlm-roberta xlm-roberta-xl xmod".split()
)
# These look positions up in a table, even where it cannot be found in the graph.
_TABLES = _POSITIONS_AFTER_PADDING | frozenset(
    "albert bart bert big_bird convbert distilbert electra ernie flaubert gpt2 gpt_neo layoutlm megatron-bert "
    "mobilebert nystromformer splinter squeezebert xlm".split()
)
# Positions of these are relative or rotary: `max_position_embeddings` does not bound the input.
_NO_TABLES = frozenset("funnel mt5 t5 umt5 xlnet".split())
# Relative too, but with an absolute table that config.json can switch off, and usually does.
_PERHAPS_TABLES = frozenset({"deberta", "deberta-v2"})


_HEADS = ("num_attention_heads", "n_heads", "n_head", "num_heads")
_FUSED = frozenset({"Attention", "GroupQueryAttention", "MultiHeadAttention", "PackedMultiHeadAttention"})
"""Operators that hold all of attention, and may not keep the scores of all pairs of tokens."""

# Operators between a table and its lookup, the table as their first input.
_BETWEEN = frozenset({"Cast", "DequantizeLinear", "Identity"})


def tokenizer_spec(
    folder: ModelFolder,
    options: TokenizerOptions,
    fixed_tokens: int | None,
    tables: Sequence[Table] = (),
    library_limit: int | None = None,
) -> TokenizerSpec:
    """Limit, padding and truncation.

    The limit is that of the model's own library (`limit`); an option may lower it, or raise it to what the graph
    takes. Raises `ConfigError` for more.
    """
    config = folder.tokenizer_config
    found = limit(folder, fixed_tokens, tables, library_limit)
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


@dataclass(frozen=True, slots=True)
class Limit:
    """Tokens of one text, special tokens included: where texts are truncated, and how far --max-length may go."""

    tokens: int
    most: int | None
    """The largest --max-length; None where nothing bounds it."""
    origin: str
    """Where `most` comes from."""

    def refuse(self, flag: str, given: int | None) -> None:
        """Raises `ConfigError` for a length beyond `most`."""
        if given is not None and self.most is not None and given > self.most:
            raise ConfigError(
                f"{flag} {given} is more than the model takes: at most {self.most} tokens ({self.origin})"
            )


def limit(
    folder: ModelFolder,
    fixed_tokens: int | None,
    tables: Sequence[Table] = (),
    library_limit: int | None = None,
) -> Limit:
    """Where the model's own library truncates, capped by the table of position embeddings and by `fixed_tokens`.

    `tables` are the graph's embedding tables, where they can be found; `library_limit` is where the library truncates
    whatever the files say, which --max-length may go beyond. Without any limit: the length that the model was trained
    with, and --max-length may go beyond.
    """
    named = _named(folder)
    hard = [
        (count, origin)
        for count, origin in (
            (_positions(_of_text(folder.config), tables), "the table of position embeddings"),
            (fixed_tokens, "the fixed shape of the graph"),
        )
        if count is not None
    ]
    candidates = [*named[:1], *hard]
    if library_limit is not None:
        most, origin = min(hard) if hard else (None, "")
        return Limit(min([library_limit, *(count for count, _ in candidates)]), most, origin)
    if candidates:
        # A library's limit may be raised to another one in the files, where no table says what is possible.
        most, origin = min(hard) if hard else max(named)
        return Limit(min(count for count, _ in candidates), most, origin)
    # Many tokenizers were saved with the truncation of their last call, so it counts only without any other.
    own = (folder.tokenizer_json.get("truncation") or {}).get("max_length")
    if is_limit(own):
        return Limit(int(own), int(own), "truncation in tokenizer.json")
    return Limit(_trained_length(folder.config), None, "")


def _named(folder: ModelFolder) -> list[tuple[int, str]]:
    """The limits in the files, the one that counts first.

    In sentence-transformers `max_seq_length` replaces `model_max_length`; without it, the limit is no more than
    `max_position_embeddings`, whatever kind of positions these are (base/modules/transformer.py).
    """
    trained = folder.config.get("max_position_embeddings") if folder.modules else None
    tokenizer = folder.tokenizer_config.get("model_max_length", folder.tokenizer_config.get("max_len"))
    arguments = {key: folder.sentence_bert.get(key) or {} for key in ("tokenizer_args", "processor_kwargs")}
    found = [
        (folder.sentence_bert.get("max_seq_length"), "max_seq_length in sentence_bert_config.json"),
        (tokenizer, "model_max_length in tokenizer_config.json"),
        (trained, "max_position_embeddings in config.json"),
    ]
    if any("model_max_length" in each for each in arguments.values()):
        found = found[1:2]
    limits = [(int(count), origin) for count, origin in found if is_limit(count)]
    called = call_length(folder)
    if is_limit(called):
        return [(int(called), "max_length of processing_kwargs in sentence_bert_config.json"), *limits]
    if is_limit(folder.sentence_bert.get("max_seq_length")):
        return limits
    return sorted(limits)


def is_limit(value: object) -> TypeGuard[int | float]:
    """Whether a number in a file is a limit in tokens, not a sentinel for none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < NO_LIMIT


def _trained_length(config: Mapping[str, Any]) -> int:
    rows = config.get("max_position_embeddings")
    return rows if isinstance(rows, int) and rows > 0 else FALLBACK_LENGTH


def _of_text(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """What config.json says of the part that reads text, where it is one of several or inside of another model."""
    inner = (config.get(key) for key in ("text_config", "encoder_config"))
    return {**config, **next((each for each in inner if isinstance(each, Mapping)), {})}


def _positions(config: Mapping[str, Any], tables: Sequence[Table]) -> int | None:
    """How many tokens the table of position embeddings is for, or None where there is no table."""
    rows = config.get("max_position_embeddings") or config.get("n_positions")
    rows = rows if isinstance(rows, int) and rows > 0 else None
    if rows is not None:
        # Two more rows are for padding, as in BART; twice as many are for distances to both sides, as in BERT's
        # `relative_key`.
        known = {rows: rows - first_position(config), rows + 2: rows, 2 * rows - 1: rows}
        seen = [
            known[each.rows]
            for each in tables
            if each.rows in known and (each.rows != config.get("vocab_size") or _is_position_table(each))
        ]
        if seen:
            return min(seen)
    seen = [table.rows - first_position(config) for table in tables if _is_position_table(table)]
    if seen:
        return min(seen)
    if rows is None:
        return None
    family = str(config.get("model_type", ""))
    if config.get("position_embedding_type") not in (None, "absolute") or family in _NO_TABLES:
        return None
    if family in _PERHAPS_TABLES and config.get("position_biased_input") is False:
        return None
    # In a graph whose tables are found this one would be among them.
    return None if tables and family not in _TABLES else rows - first_position(config)


def _is_position_table(table: Table) -> bool:
    name = table.name.lower()
    return ("position" in name or "wpe" in name) and not any(
        word in name for word in ("relative", "vision", "visual")
    )


def first_position(config: Mapping[str, Any]) -> int:
    """The position of a text's first token: 0, or, as in fairseq, the one after the padding id."""
    config = _of_text(config)
    if str(config.get("model_type", "")) not in _POSITIONS_AFTER_PADDING:
        return 0
    padding = config.get("pad_token_id")
    return (padding if isinstance(padding, int) else 1) + 1


def attention_bytes(folder: ModelFolder, graph: OnnxGraph) -> int:
    """Bytes for each pair of tokens, in float32: scores and their softmax of each head, and the mask.

    0 where attention is a fused operator, and where config.json does not say how many heads there are.
    """
    config = _of_text(folder.config)
    heads = next((config[key] for key in _HEADS if isinstance(config.get(key), int)), 0)
    return 0 if graph.op_types & _FUSED or not heads else 4 * (2 * heads + 1)


def long_text_notes(limit: int, bytes_per_pair: int) -> tuple[str, ...]:
    """What a user should know of a limit that is too long to be tried."""
    if limit <= LONGEST_TRIAL:
        return ()
    tried = f"tried with up to {LONGEST_TRIAL} of {limit} tokens"
    if not bytes_per_pair:
        return (tried,)
    needed = bytes_per_pair * limit * limit / 1e9
    return (f"{tried}; attention over a text of that length takes up to {needed:.1f} GB, --max-length lowers it",)


@dataclass(frozen=True, slots=True)
class Table:
    """A matrix whose rows are looked up, one for each id."""

    name: str
    rows: int


def tables_of(graph: OnnxGraph) -> tuple[Table, ...]:
    """The tables of a graph; none where it looks them up with operators that are not known here."""
    shapes = graph.shapes()
    comes_from: dict[str, str] = {}
    found: dict[str, Table] = {}
    for node in graph.nodes():
        if node.op_type in _BETWEEN and node.inputs:
            comes_from |= {output: comes_from.get(node.inputs[0], node.inputs[0]) for output in node.outputs[:1]}
        if node.op_type == "Gather" and node.integers.get("axis", 0) == 0:
            names = node.inputs[:1]
        elif node.op_type.endswith("EmbedLayerNormalization"):  # onnxruntime's fusion of a BERT's three tables
            names = node.inputs[2:5]
        else:
            continue
        for name in names:
            source = comes_from.get(name, name)
            if len(shapes.get(source, ())) == 2:
                found[source] = Table(source, shapes[source][0])
    return tuple(found.values())
