"""The tokenizer classes of transformers: which one reads a folder, its defaults, and what it rewrites.

A table of the fast classes of transformers 4.57 (models/*/tokenization_*_fast.py) and of its TOKENIZER_MAPPING_NAMES
(models/auto/tokenization_auto.py), as far as they can tokenise text alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from encoderfile.builder.vocabulary import Json
from encoderfile.errors import ModelError


class Template(Enum):
    """How a class rebuilds the special tokens around a text when it is loaded."""

    BOS_EOS = "around each text, as add_bos_token and add_eos_token say"
    LANGUAGE_LAST = "</s> and the language's token at the end"
    LANGUAGE_FIRST = "the language's token at the beginning, </s> at the end"


@dataclass(frozen=True, slots=True)
class TokenizerClass:
    """One class by its name without `Fast`; `defaults` has the keys of tokenizer_config.json."""

    name: str
    defaults: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """Defaults that tokenizer.json's own `padding` and `truncation` override."""
    normalizer: tuple[str, ...] = ()
    """The fields of a BertNormalizer that are set from tokenizer_config.json."""
    trims_offsets: bool = False
    """Whether `add_prefix_space` and `trim_offsets` are set in the post-processor too."""
    spaces_anywhere: bool = False
    """Whether `add_prefix_space: true` reaches a ByteLevel pre-tokenizer inside a sequence."""
    template: Template | None = None
    wraps: Mapping[str, Json] = field(default_factory=dict)
    """Special tokens that are added with these flags, unless a file gives others."""
    adds_more: tuple[str, ...] = ()
    """Special tokens that are added to the `additional_special_tokens` of the files."""
    from_slow: bool = False
    """Whether the class converts the slow tokenizer again when `add_prefix_space` is given."""


_NO_TYPES = {"model_input_names": ["input_ids", "attention_mask"]}
_BERT_FIELDS = ("lowercase", "strip_accents", "handle_chinese_chars")
_NEEDS = {
    "RoFormer": "rjieba",
    "Cpm": "rjieba",
    "BertJapanese": "MeCab or SudachiPy",
    "RoCBert": "the shapes and sounds of characters",
    "LayoutLMv2": "the boxes of words on a page",
    "LayoutLMv3": "the boxes of words on a page",
    "LayoutXLM": "the boxes of words on a page",
    "Udop": "the boxes of words on a page",
    "Tapas": "the cells of a table",
    "MarkupLM": "the paths of words in a page",
}
"""Classes that need more than a text and tokenizer.json."""


def _names(**tokens: str) -> Json:
    return {f"{name}_token": token for name, token in tokens.items()}


_BERT = _names(unk="[UNK]", sep="[SEP]", pad="[PAD]", cls="[CLS]", mask="[MASK]")
_ROBERTA = _names(bos="<s>", eos="</s>", sep="</s>", cls="<s>", unk="<unk>", pad="<pad>", mask="<mask>")
_ALBERT = _names(bos="[CLS]", eos="[SEP]", unk="<unk>", sep="[SEP]", pad="<pad>", cls="[CLS]", mask="[MASK]")
_LLAMA = _names(unk="<unk>", bos="<s>", eos="</s>") | {"add_bos_token": True, "add_eos_token": False}
_GPT2 = _names(unk="<|endoftext|>", bos="<|endoftext|>", eos="<|endoftext|>")

_MASK: Mapping[str, Json] = {"mask_token": {"lstrip": True, "normalized": False}}
_MASK_NORMALIZED: Mapping[str, Json] = {"mask_token": {"lstrip": True, "normalized": True}}
_WRAPPED: Mapping[str, Json] = {f"{name}_token": {} for name in ("bos", "eos", "sep", "cls", "unk", "pad")}


def _bert(name: str, tokens: Json = _BERT, attributes: Json | None = None, **more: Any) -> TokenizerClass:
    defaults = {"do_lower_case": True, "tokenize_chinese_chars": True, **tokens}
    return TokenizerClass(name, defaults, attributes or {}, normalizer=more.pop("normalizer", _BERT_FIELDS), **more)


def _roberta(name: str, **more: Any) -> TokenizerClass:
    return TokenizerClass(name, _ROBERTA | more.pop("defaults", {}), _NO_TYPES, **more)


def _trimmed(name: str, wraps: Mapping[str, Json]) -> TokenizerClass:
    return _roberta(name, defaults={"trim_offsets": True}, trims_offsets=True, wraps=wraps)


def _llama(name: str, defaults: Json, **more: Any) -> TokenizerClass:
    left = _NO_TYPES | {"padding_side": "left"}
    return TokenizerClass(name, defaults, left, template=Template.BOS_EOS, **more)


def _t5(name: str) -> TokenizerClass:
    defaults = _names(eos="</s>", unk="<unk>", pad="<pad>") | {"extra_ids": 100}
    return TokenizerClass(name, defaults, _NO_TYPES, from_slow=True)


_CLASSES = (
    TokenizerClass("PreTrained"),
    TokenizerClass("TokenizersBackend"),  # the same, as transformers 5 calls it
    *map(_bert, ("Bert", "ConvBert", "DPRContextEncoder", "DPRQuestionEncoder", "Electra", "LayoutLM", "Lxmert")),
    *map(_bert, ("MobileBert", "Realm", "SqueezeBert")),
    *(_bert(name, attributes=_NO_TYPES) for name in ("DistilBert", "RetriBert")),
    _bert("Funnel", _names(unk="<unk>", sep="<sep>", pad="<pad>", cls="<cls>", mask="<mask>", bos="<s>", eos="</s>")),
    _bert(
        "Splinter", _BERT | {"additional_special_tokens": ["[QUESTION]"]}, normalizer=("lowercase", "strip_accents")
    ),
    _bert(
        "MPNet",
        _ROBERTA | _names(unk="[UNK]"),
        _NO_TYPES,
        normalizer=("lowercase", "strip_accents"),
        wraps={**_WRAPPED, **_MASK},
    ),
    *(_trimmed(name, _MASK) for name in ("Roberta", "Longformer", "Blenderbot")),
    *(_trimmed(name, _MASK_NORMALIZED) for name in ("Bart", "LED")),
    _trimmed("Mvp", {**_WRAPPED, **_MASK}),
    *(_roberta(name, wraps=_MASK) for name in ("XLMRoberta", "Barthez")),
    _roberta(
        "Camembert",
        defaults={"additional_special_tokens": ["<s>NOTUSED", "</s>NOTUSED", "<unk>NOTUSED"]},
        wraps=_MASK,
    ),
    _roberta("MBart", wraps=_MASK, template=Template.LANGUAGE_LAST, defaults={"src_lang": "en_XX"}),
    _roberta("MBart50", wraps=_MASK, template=Template.LANGUAGE_FIRST, defaults={"src_lang": "en_XX"}),
    _roberta("Nllb", wraps=_MASK_NORMALIZED, template=Template.LANGUAGE_FIRST, defaults={"src_lang": "eng_Latn"}),
    *(TokenizerClass(name, _ALBERT, wraps=_MASK) for name in ("Albert", "RemBert")),
    TokenizerClass(
        "FNet",
        _names(unk="<unk>", sep="[SEP]", pad="<pad>", cls="[CLS]", mask="[MASK]"),
        wraps={**_MASK, "cls_token": {}, "sep_token": {}},
    ),
    TokenizerClass(
        "BigBird", _ROBERTA | _names(sep="[SEP]", mask="[MASK]", cls="[CLS]"), _NO_TYPES, wraps={**_WRAPPED, **_MASK}
    ),
    *(TokenizerClass(name, _BERT | _names(bos="[CLS]", eos="[SEP]")) for name in ("Deberta", "DebertaV2")),
    TokenizerClass("Herbert", _names(cls="<s>", unk="<unk>", pad="<pad>", mask="<mask>", sep="</s>")),
    TokenizerClass(
        "XLNet",
        _ROBERTA | _names(sep="<sep>", cls="<cls>") | {"additional_special_tokens": ["<eop>", "<eod>"]},
        {"padding_side": "left", "pad_token_type_id": 3},
        wraps=_MASK,
    ),
    TokenizerClass(
        "XGLM",
        {key: _ROBERTA[key] for key in _ROBERTA if key != "mask_token"},
        _NO_TYPES,
        adds_more=tuple(f"<madeupword{index}>" for index in range(7)),
    ),
    *map(_t5, ("T5", "MT5")),
    TokenizerClass("Reformer", _names(eos="</s>", unk="<unk>"), _NO_TYPES),
    TokenizerClass("OpenAIGPT", _names(unk="<unk>"), _NO_TYPES),
    *(TokenizerClass(name, _GPT2, _NO_TYPES) for name in ("GPT2", "CodeGen")),
    TokenizerClass("BlenderbotSmall", _GPT2),
    TokenizerClass("Qwen2", _names(unk="<|endoftext|>", eos="<|endoftext|>", pad="<|endoftext|>"), _NO_TYPES),
    TokenizerClass("CLIP", _GPT2 | _names(bos="<|startoftext|>", pad="<|endoftext|>"), _NO_TYPES),
    TokenizerClass("Bloom", _names(unk="<unk>", bos="<s>", eos="</s>", pad="<pad>"), _NO_TYPES, spaces_anywhere=True),
    TokenizerClass(
        "GPTNeoX", _GPT2 | {"add_bos_token": False, "add_eos_token": False}, _NO_TYPES, template=Template.BOS_EOS
    ),
    _llama("Llama", _LLAMA, from_slow=True),
    _llama("Gemma", _LLAMA | _names(bos="<bos>", eos="<eos>", pad="<pad>")),
    _llama(
        "Cohere", _LLAMA | _names(unk="<UNK>", bos="<BOS_TOKEN>", eos="<|END_OF_TURN_TOKEN|>"), spaces_anywhere=True
    ),
)

_BY_NAME = {each.name: each for each in _CLASSES}

_NAMED_ALIKE = (
    "Bart Barthez Blenderbot Bloom Camembert ConvBert Deberta DistilBert Electra FNet Funnel Herbert LED LayoutLM "
    "LayoutLMv2 Longformer Lxmert MBart MBart50 MPNet MT5 MobileBert Mvp Realm Reformer RemBert RetriBert "
    "RoFormer Splinter SqueezeBert Tapas XGLM XLNet"
)
"""Classes whose name in lower case is the only model type that they read."""
_MODEL_TYPES = {
    "Albert": "albert nystromformer yoso",
    "Bert": "align bert blip bros chinese_clip ernie megatron-bert nezha qdqbert visual_bert",
    "BigBird": "big_bird",
    "CLIP": "aimv2 clip clipseg groupvit owlv2 owlvit xclip",
    "CodeGen": "codegen phi",
    "Cohere": "cohere cohere2",
    "DPRQuestionEncoder": "dpr",
    "DebertaV2": "deberta-v2",
    "GPT2": "dbrx exaone4 gpt2 gpt_bigcode gpt_neo gptj minimax olmo3 opt starcoder2",
    "GPTNeoX": "falcon_mamba gpt_neox mamba mamba2 mpt olmo olmo2 olmoe rwkv stablelm xlstm",
    "Gemma": "gemma gemma2 gemma3 gemma3_text gemma3n gemma3n_text recurrent_gemma siglip2 t5gemma",
    "LayoutLMv3": "layoutlmv3 lilt",
    "Llama": "arcee deepseek_v2 deepseek_v3 diffllama ernie4_5 ernie4_5_moe jamba jetmoe llama llama4 llama4_text "
    "ministral mistral mistral3 mixtral persimmon phi3 phimoe zamba zamba2",
    "Nllb": "nllb nllb-moe",
    "OpenAIGPT": "openai-gpt",
    "PreTrained": "bitnet falcon glm glm4 glm4_moe gpt_oss helium modernbert nemotron smollm3",
    "Qwen2": "colqwen2 qwen2 qwen2_5_vl qwen2_moe qwen2_vl qwen3 qwen3_moe qwen3_next qwen3_vl",
    "RoCBert": "roc_bert",
    "Roberta": "bridgetower clap data2vec-text ibert mega mra roberta roberta-prelayernorm",
    "T5": "longt5 switch_transformers t5 umt5",
    "XLMRoberta": "kosmos-2 metaclip_2 xlm-roberta xlm-roberta-xl xmod",
}
_BY_MODEL_TYPE = {kind: name for name, kinds in _MODEL_TYPES.items() for kind in kinds.split()}
_BY_MODEL_TYPE |= {name.lower(): name for name in _NAMED_ALIKE.split()}

_REMEDY = (
    'if tokenizer.json alone gives the right ids, write "tokenizer_class": "PreTrainedTokenizerFast" into '
    "tokenizer_config.json"
)


def tokenizer_class(tokenizer_config: Mapping[str, Any], config: Mapping[str, Any]) -> TokenizerClass:
    """The class with which `AutoTokenizer` reads the folder of this tokenizer_config.json and config.json.

    Raises `ModelError` for a class that needs more than tokenizer.json, and where the files name none that is known.
    """
    named = tokenizer_config.get("tokenizer_class")
    code = _has_code(tokenizer_config)
    if named is None:
        named = config.get("tokenizer_class")
        code = code or _has_code(config)
    kind = config.get("model_type")
    family = _BY_MODEL_TYPE.get(str(kind), "")
    if named is not None:
        family = str(named).removesuffix("Fast").removesuffix("Tokenizer")
    if family in _NEEDS:
        raise ModelError(
            f"{family}Tokenizer needs {_NEEDS[family]}, which tokenizer.json does not contain: answers would differ, "
            "so this model cannot be built"
        )
    if family in _BY_NAME:
        return _BY_NAME[family]
    if code:
        raise ModelError(f"the tokenizer has its own code (auto_map), which is never run: {_REMEDY}")
    if named is not None:
        raise ModelError(f"no fast form of the tokenizer class {named} is known: {_REMEDY}")
    what = f"the model_type {kind} of config.json is not known" if kind else "config.json has no model_type"
    raise ModelError(f"tokenizer_config.json has no tokenizer_class and {what}: {_REMEDY}")


def _has_code(file: Mapping[str, Any]) -> bool:
    found = file.get("auto_map")
    return isinstance(found, list) or (isinstance(found, Mapping) and found.get("AutoTokenizer") is not None)
