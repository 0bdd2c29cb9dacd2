"""Tokenizer folders of many families: used by the tests and by what made their truth.

Each lies on one of a few tiny tokenizers in `bases/`; what differs is what the files beside it say.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BASES = Path(__file__).with_name("bases")

TEXTS = (
    "Café ÅNGSTRÖM in İstanbul, ﬁn e\u0301 and 東京",
    "  two  spaces and <mask> or [MASK] brown </s> [SEP] <extra_id_0> here",
)
PAIR = ("How many people live in Berlin?", "Berlin has 3.7 million.")
CUT = 9
"""Tokens to which the pair is cut as well."""

LOWER = {"normalizer": {"type": "BertNormalizer", "lowercase": True}}


@dataclass(frozen=True)
class Family:
    """A base and the files beside it; `tokenizer` replaces parts of tokenizer.json."""

    base: str
    config: dict[str, Any] | None = None
    model: dict[str, Any] = field(default_factory=dict)
    special_tokens_map: dict[str, Any] | None = None
    added_tokens: dict[str, int] | None = None
    tokenizer: dict[str, Any] = field(default_factory=dict)
    without_added: tuple[str, ...] = ()

    def write(self, folder: Path) -> Path:
        folder.mkdir(parents=True)
        tokenizer = json.loads((BASES / f"{self.base}.json").read_text(encoding="utf-8")) | self.tokenizer
        tokenizer["added_tokens"] = [t for t in tokenizer["added_tokens"] if t["content"] not in self.without_added]
        files = {
            "tokenizer.json": tokenizer,
            "config.json": {"vocab_size": 1000} | self.model,
            "tokenizer_config.json": self.config,
            "special_tokens_map.json": self.special_tokens_map,
            "added_tokens.json": self.added_tokens,
        }
        for name, body in files.items():
            if body is not None:
                (folder / name).write_text(json.dumps(body, ensure_ascii=False), encoding="utf-8")
        return folder


def _class(base: str, name: str, /, **config: Any) -> Family:
    return Family(base, {"tokenizer_class": f"{name}Tokenizer"} | config)


def _kind(base: str, model_type: str) -> Family:
    return Family(base, None, {"model_type": model_type})


def _flags(content: str, **flags: bool) -> dict[str, Any]:
    usual = {"lstrip": False, "rstrip": False, "single_word": False, "normalized": True}
    return {"content": content} | usual | flags


_WORDPIECE = {
    "Bert": "bert",
    "DistilBert": "distilbert",
    "Electra": "electra",
    "MobileBert": "mobilebert",
    "SqueezeBert": "squeezebert",
    "ConvBert": "convbert",
    "LayoutLM": "layoutlm",
    "Lxmert": "lxmert",
    "Funnel": "funnel",
    "MPNet": "mpnet",
    "Splinter": "splinter",
}
_BYTES = {
    "Roberta": "roberta",
    "Longformer": "longformer",
    "Bart": "bart",
    "LED": "led",
    "Mvp": "mvp",
    "Blenderbot": "blenderbot",
    "GPT2": "gpt2",
    "GPTNeoX": "gpt_neox",
    "Qwen2": "qwen2",
    "Bloom": "bloom",
    "Deberta": "deberta",
    "Cohere": "cohere",
}
_PIECES = {
    "Albert": "albert",
    "BigBird": "big_bird",
    "Camembert": "camembert",
    "DebertaV2": "deberta-v2",
    "FNet": "fnet",
    "MBart": "mbart",
    "MT5": "mt5",
    "RemBert": "rembert",
    "T5": "t5",
    "XGLM": "xglm",
    "XLMRoberta": "xlm-roberta",
    "XLNet": "xlnet",
}
_LLAMAS = {"Llama": "mistral", "Gemma": "gemma"}
_OF_BASES = {"wordpiece": _WORDPIECE, "bytes": _BYTES, "pieces": _PIECES, "llama": _LLAMAS}

FAMILIES: dict[str, Family] = {
    **{name: _class(base, name) for base, names in _OF_BASES.items() for name in names},
    **{f"model_type {kind}": _kind(base, kind) for base, names in _OF_BASES.items() for kind in names.values()},
    "model_type modernbert": _kind("bytes", "modernbert"),
    "model_type xlm-roberta-xl": _kind("pieces", "xlm-roberta-xl"),
    "the class that config.json names": Family(
        "wordpiece", {"model_max_length": 20}, {"model_type": "roberta", "tokenizer_class": "BertTokenizer"}
    ),
    "a class that is null": Family("wordpiece", {"tokenizer_class": None}, {"model_type": "bert"}),
    "no class has rules": _class("wordpiece", "PreTrained", do_lower_case=True),
    "MBart50": _class("pieces", "MBart50", src_lang="de_DE"),
    "Nllb": _class("pieces", "Nllb", src_lang="de_DE"),
    "Nllb as it was": _class("pieces", "Nllb", src_lang="de_DE", legacy_behaviour=True),
    **{
        f"{name} with bos {bos} and eos {eos}": _class(base, name, add_bos_token=bos, add_eos_token=eos, **tokens)
        for base, name, tokens in (
            ("llama", "Llama", {}),
            ("llama", "Gemma", {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}),
            ("bytes", "GPTNeoX", {"bos_token": "<s>", "eos_token": "</s>"}),
            ("bytes", "Cohere", {"bos_token": "<s>", "eos_token": "</s>"}),
        )
        for bos, eos in ((True, True), (False, True), (False, False), (None, True))
    },
    "Llama around which other tokens stand": _class(
        "llama", "Llama", add_eos_token=True, bos_token=_flags("<pad>") | {"__type": "AddedToken"}, eos_token="<mask>"
    ),
    "Llama whose tokens the map names": Family(
        "llama",
        {"tokenizer_class": "LlamaTokenizer", "add_eos_token": True, "eos_token": "</s>"},
        special_tokens_map={"eos_token": _flags("<mask>")},
    ),
    "GPT2 with bos and eos, which it ignores": _class("bytes", "Qwen2", add_bos_token=True, add_eos_token=True),
    **{
        f"{name} made again with a space {prefix}, legacy {legacy}": _class(
            base, name, add_prefix_space=prefix, legacy=legacy, extra_ids=0
        )
        for base, name in (("llama", "Llama"), ("pieces", "T5"))
        for prefix in (True, False)
        for legacy in (True, False)
    },
    "Bloom with a space": _class("bytes-in-sequence", "Bloom", add_prefix_space=True),
    "XLNet padded as tokenizer.json was saved": Family(
        "pieces",
        {"tokenizer_class": "XLNetTokenizer"},
        tokenizer={
            "padding": {
                "strategy": "BatchLongest",
                "direction": "Right",
                "pad_to_multiple_of": None,
                "pad_id": 3,
                "pad_type_id": 0,
                "pad_token": "<pad>",
            }
        },
    ),
    "cut as tokenizer.json was saved": Family(
        "wordpiece",
        None,
        {"model_type": "bert"},
        tokenizer={"truncation": {"direction": "Left", "max_length": 5, "strategy": "LongestFirst", "stride": 0}},
    ),
    "a mask that the class makes": Family("bytes", {}, {"model_type": "roberta"}, without_added=("<mask>",)),
    "a mask that the map names": Family(
        "bytes",
        {"tokenizer_class": "RobertaTokenizer"},
        special_tokens_map={"mask_token": _flags("<mask>", rstrip=True)},
        without_added=("<mask>",),
    ),
    "a map beside added tokens, which come first": Family(
        "bytes",
        {"tokenizer_class": "RobertaTokenizer", "added_tokens_decoder": {"4": _flags("<mask>", special=True)}},
        special_tokens_map={"mask_token": _flags("brown", lstrip=True)},
    ),
    "special tokens beyond the usual ones": Family(
        "wordpiece",
        {
            "tokenizer_class": "BertTokenizer",
            "additional_special_tokens": ["spaces", "new"],
            "extra_special_tokens": {"colour_token": "brown"},
        },
    ),
    "special tokens for which the model has no row": Family(
        "bytes", {"tokenizer_class": "GPT2Tokenizer"}, {"vocab_size": 100}
    ),
    "tokens of added_tokens.json": Family(
        "wordpiece", {"tokenizer_class": "BertTokenizer"}, added_tokens={"brown": 200, "here": 201}
    ),
    "padding on the left": _class("wordpiece", "Bert", padding_side="left", truncation_side="left"),
    "inputs by name": _class("wordpiece", "Bert", model_input_names=["input_ids", "attention_mask"]),
    "another padding token": _class("wordpiece", "Bert", pad_token="[SEP]"),
    "a limit by its old name": _class("wordpiece", "Bert", max_len=77),
}
