"""What the other files override in tokenizer.json, as the model's own library does whenever it loads.

In transformers the tokenizer's class rewrites parts of the tokenizer at every start, and sentence-transformers one
more; here it is done once, at build, so that the file ships the tokenizer as it takes effect. Sources:
transformers 4.57, tokenization_utils_base.py (`_from_pretrained`), tokenization_utils_fast.py and the `__init__` of
models/*/tokenization_*_fast.py; sentence-transformers 5.7, base/modules/transformer.py.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from encoderfile.builder.tokenizer_classes import Template, TokenizerClass, tokenizer_class
from encoderfile.builder.vocabulary import Json, Vocabulary, added_token, content_of
from encoderfile.errors import ModelError

_SPECIALS = tuple(f"{name}_token" for name in ("bos", "eos", "unk", "sep", "pad", "cls", "mask"))
_MORE = "additional_special_tokens"
_EXTRA_IDS = 10_000
"""A bound on a number in a file, far above any T5's."""
_PREPEND = {"type": "Prepend", "prepend": "▁"}
_REPLACE = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}


@dataclass(frozen=True, slots=True)
class TokenizerFiles:
    """The parsed files that a tokenizer is made of; those that a folder does not have are empty."""

    tokenizer: Mapping[str, Any]
    config: Mapping[str, Any] = field(default_factory=dict)
    special_tokens_map: Mapping[str, Any] = field(default_factory=dict)
    added_tokens: Mapping[str, Any] = field(default_factory=dict)
    model_config: Mapping[str, Any] = field(default_factory=dict)
    sentence_bert: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EffectiveTokenizer:
    """tokenizer.json and tokenizer_config.json as they take effect."""

    tokenizer: Json
    config: Json
    """With the settings of special_tokens_map.json and sentence_bert_config.json and the defaults of the class, but
    without special tokens that are not in the tokenizer."""


def effective_tokenizer(files: TokenizerFiles) -> EffectiveTokenizer:
    """The tokenizer as the model's own library would use it.

    Raises `ModelError` for a class that is not known or not supported.
    """
    cls = tokenizer_class(files.config, files.model_config)
    given = _given(files)
    config = _settings(files, given, cls)
    tokenizer: Json = copy.deepcopy(dict(files.tokenizer))
    _override_slow(tokenizer, config, cls)
    _override_added_tokens(tokenizer, files, given, config, cls)
    _override_prefix_space(tokenizer, config, cls)
    _override_normalizer(tokenizer, config, cls)
    vocabulary = Vocabulary(tokenizer)
    if cls.template is not None:
        tokenizer["post_processor"] = rebuilt(vocabulary, config, cls)
    if files.sentence_bert.get("do_lower_case"):
        _lower_first(tokenizer)
    missing = {
        key for key in _SPECIALS if key not in given and vocabulary.id_of(content_of(config.get(key)) or "") is None
    }
    return EffectiveTokenizer(tokenizer, {key: value for key, value in config.items() if key not in missing})


def _given(files: TokenizerFiles) -> Json:
    """The settings in all files, as tokenizer_config.json would have them."""
    given = dict(files.config)
    if "added_tokens_decoder" not in given:
        before, more = given.get(_MORE) or [], files.special_tokens_map.get(_MORE) or []
        given |= files.special_tokens_map
        if more:
            flagged = {content_of(token): token for token in more if isinstance(token, Mapping)}
            merged = [flagged.get(content_of(token), token) for token in before]
            given[_MORE] = [*merged, *(token for token in more if token not in merged)]
    for key in ("tokenizer_args", "processor_kwargs"):
        given |= files.sentence_bert.get(key) or {}
    return given


def _settings(files: TokenizerFiles, given: Json, cls: TokenizerClass) -> Json:
    """The settings in effect: those given, then the class's defaults, then what tokenizer.json was saved with."""
    padding, truncation = files.tokenizer.get("padding") or {}, files.tokenizer.get("truncation") or {}
    saved = {
        "pad_token": padding.get("pad_token"),
        "padding_side": str(padding["direction"]).lower() if "direction" in padding else None,
        "truncation_side": str(truncation["direction"]).lower() if "direction" in truncation else None,
    }
    kept = {key: value for key, value in saved.items() if value is not None}
    settings = {**cls.attributes, **kept, **cls.defaults, **given}
    count = int(settings.get("extra_ids") or 0) if "extra_ids" in cls.defaults else 0
    own = [*cls.adds_more, *(f"<extra_id_{index}>" for index in range(min(count, _EXTRA_IDS)))]
    more = settings.get(_MORE) or []
    if own and not {content_of(token) for token in more}.intersection(own):
        settings[_MORE] = [*more, *own]
    return settings


def _override_normalizer(tokenizer: Json, config: Mapping[str, Any], cls: TokenizerClass) -> None:
    settings = {
        "lowercase": config.get("do_lower_case"),
        "strip_accents": config.get("strip_accents"),
        "handle_chinese_chars": config.get("tokenize_chinese_chars"),
    }
    normalizer = tokenizer.get("normalizer") or {}
    # Other types do not have these keys, and transformers sets no key that is not there.
    if normalizer.get("type") == "BertNormalizer":
        normalizer.update({key: settings[key] for key in cls.normalizer})


def _override_prefix_space(tokenizer: Json, config: Mapping[str, Any], cls: TokenizerClass) -> None:
    """Byte-level tokenizers add a space before the text only where tokenizer_config.json says so."""
    # Where it is null, or not given to a class without a default, transformers leaves it as it is.
    prefix = config.get("add_prefix_space", None if cls.from_slow else False)
    splitter = tokenizer.get("pre_tokenizer") or {}
    if splitter.get("type") == "ByteLevel" and prefix is not None:
        splitter["add_prefix_space"] = bool(prefix)
    if cls.spaces_anywhere and prefix:
        for part in splitter.get("pretokenizers") or ():
            if part.get("type") == "ByteLevel":
                part["add_prefix_space"] = True
    finisher = tokenizer.get("post_processor") or {}
    if cls.trims_offsets and finisher.get("type") in ("RobertaProcessing", "ByteLevel"):
        if prefix is not None:
            finisher["add_prefix_space"] = bool(prefix)
        finisher["trim_offsets"] = bool(config.get("trim_offsets"))


def _override_slow(tokenizer: Json, config: Mapping[str, Any], cls: TokenizerClass) -> None:
    """Where `add_prefix_space` is given, some classes are converted again from the slow tokenizer, and differ."""
    given = cls.from_slow and config.get("add_prefix_space") is not None
    if not given and not config.get("from_slow"):
        return
    prefix, legacy = config.get("add_prefix_space", True), config.get("legacy") in (None, True)
    scheme = "never" if not prefix else "always" if legacy else "first"
    splitter = tokenizer.get("pre_tokenizer") or {}
    model = tokenizer.get("model") or {}
    if cls.name == "Llama" and model.get("type") == "BPE" and model.get("byte_fallback"):
        first = [_PREPEND] if prefix else []
        tokenizer["normalizer"] = {"type": "Sequence", "normalizers": [*first, _REPLACE]} if legacy else None
        metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": False}
        tokenizer["pre_tokenizer"] = None if legacy else metaspace
    elif cls.from_slow and model.get("type") == "Unigram" and splitter.get("type") == "Metaspace":
        splitter.update(prepend_scheme=scheme, split=True)
        splitter.pop("add_prefix_space", None)
    else:
        raise ModelError(
            "tokenizer_config.json has add_prefix_space or from_slow, for which transformers converts the tokenizer "
            "again from its slow form: write it with `AutoTokenizer.from_pretrained(MODEL).save_pretrained(FOLDER)` "
            "and remove the two"
        )


def _override_added_tokens(
    tokenizer: Json, files: TokenizerFiles, given: Json, config: Json, cls: TokenizerClass
) -> None:
    """Tokens that other files name, special or not, replace those of the same text, or are added."""
    vocabulary = Vocabulary(tokenizer)
    known = {token["content"]: token for token in map(added_token, _decoder(files, given))}
    specials = _special_tokens(given, config, cls, known)
    changed = [token for token in known.values() if token != vocabulary.added(token["content"])]
    there = {token["content"] for token in (*changed, *vocabulary.added_tokens())}
    found = [token | {"special": token["special"] or token["content"] in specials} for token in changed]
    found += [token for content, (token, always) in specials.items() if always or content not in there]
    rows = files.model_config.get("vocab_size")
    vocabulary.add(found, rows if isinstance(rows, int) else None)
    tokenizer["added_tokens"] = vocabulary.added_tokens()


def _decoder(files: TokenizerFiles, given: Json) -> list[Mapping[str, Any]]:
    """The added tokens by id: of tokenizer_config.json, else of added_tokens.json and tokenizer.json."""
    decoder = given.get("added_tokens_decoder")
    if decoder is not None:
        return [token for _, token in sorted(decoder.items(), key=lambda item: int(item[0]))]
    named = {content_of(given.get(key)) for key in _SPECIALS} | {content_of(t) for t in given.get(_MORE) or ()}
    found: dict[int, Mapping[str, Any]] = {
        int(index): {"content": content, "special": content in named} for content, index in files.added_tokens.items()
    }
    found |= {int(token["id"]): token for token in files.tokenizer.get("added_tokens") or ()}
    return [found[index] for index in sorted(found)]


def _special_tokens(
    given: Json, config: Json, cls: TokenizerClass, known: Mapping[str, Json]
) -> dict[str, tuple[Json, bool]]:
    """The special tokens in order, and whether each is added even where it is there already."""
    found: dict[str, tuple[Json, bool]] = {}
    more = [(_MORE, token) for token in config.get(_MORE) or ()]
    extra = config.get("extra_special_tokens") or {}
    more += list(extra.items()) if isinstance(extra, Mapping) else [(_MORE, token) for token in extra]
    for key, token in [*((key, config.get(key)) for key in _SPECIALS), *more]:
        content = content_of(token)
        if not content or content in found:
            continue
        flags: Mapping[str, Any] | None = token if isinstance(token, Mapping) else cls.wraps.get(key)
        if key in given and key in _SPECIALS and content in known:
            flags = known[content]
        found[content] = added_token({**(flags or {}), "content": content, "special": True}), flags is not None
    return found


def _lower_first(tokenizer: Json) -> None:
    """`do_lower_case` of sentence_bert_config.json lowercases first, unless there is a Lowercase already."""
    normalizer = tokenizer.get("normalizer")
    is_sequence = (normalizer or {}).get("type") == "Sequence"
    parts = [] if normalizer is None else normalizer["normalizers"] if is_sequence else [normalizer]
    if not any(part.get("type") == "Lowercase" for part in parts):
        tokenizer["normalizer"] = {"type": "Sequence", "normalizers": [{"type": "Lowercase"}, *parts]}


def rebuilt(vocabulary: Vocabulary, config: Mapping[str, Any], cls: TokenizerClass) -> Json:
    """The `post_processor` of tokenizer.json as the class builds it from its settings.

    Raises `ModelError` for a token that is missing in the settings or in the tokenizer.
    """

    def special_token(token: str, kind: int) -> Json:
        return {"SpecialToken": {"id": token, "type_id": kind}}

    def text(name: str, kind: int) -> Json:
        return {"Sequence": {"id": name, "type_id": kind}}

    if cls.template is Template.BOS_EOS:
        before = [_required(config, "bos_token")] if config.get("add_bos_token") else []
        after = [_required(config, "eos_token")] if config.get("add_eos_token") else []
        single, second = (
            [*(special_token(t, kind) for t in before), text(name, kind), *(special_token(t, kind) for t in after)]
            for name, kind in (("A", 0), ("B", 1))
        )
        pair = [*single, *second]
    else:
        language, eos = _required(config, "src_lang"), _required(config, "eos_token")
        first = cls.template is Template.LANGUAGE_FIRST and not config.get("legacy_behaviour")
        before, after = ([language], [eos]) if first else ([], [eos, language])
        opening, closing = [special_token(t, 0) for t in before], [special_token(t, 0) for t in after]
        single = [*opening, text("A", 0), *closing]
        pair = [*opening, text("A", 0), text("B", 0), *closing]
    ids = {token: vocabulary.id_of(token) for token in (*before, *after)}
    for token, found in ids.items():
        if found is None:
            raise ModelError(
                f"tokenizer.json has no token {token}, which {cls.name}Tokenizer adds around texts: "
                "the two belong to different models, export the tokenizer again"
            )
    special = {token: {"id": token, "ids": [found], "tokens": [token]} for token, found in ids.items()}
    return {"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": special}


def _required(config: Mapping[str, Any], key: str) -> str:
    token = content_of(config.get(key))
    if token is None:
        raise ModelError(f"tokenizer_config.json has no {key}, which its own settings add around texts: correct it")
    return token
