"""Tokenizers with one rule of tokenizer_config.json changed: used by the tests and by what made their truth."""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MODELS = Path(__file__).parents[1] / "models"

TEXTS = (
    "Café ÅNGSTRÖM Straße İstanbul ﬁn e\u0301 ½",
    "東京 and 한국어 in ONE line 👩\u200d💻",
    "  two  spaces\tand a <mask> and [MASK] and new_token here ",
    "hello",
)
PAIR = ("How many people live in Berlin and in the towns around it?", "Berlin has 3.7 million inhabitants.")
CUT = 12
"""Tokens to which the texts are cut as well."""


@dataclass(frozen=True)
class Variant:
    """An export whose tokenizer_config.json has other fields; `without` are removed, `tokenizer` is laid over
    the parts of tokenizer.json of that name."""

    model: str
    config: dict[str, Any] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    tokenizer: dict[str, dict[str, Any]] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        shutil.copytree(MODELS / self.model, folder)
        config_file, tokenizer_file = folder / "tokenizer_config.json", folder / "tokenizer.json"
        config = json.loads(config_file.read_text(encoding="utf-8")) | self.config
        config_file.write_text(json.dumps({k: v for k, v in config.items() if k not in self.without}))
        tokenizer = json.loads(tokenizer_file.read_text(encoding="utf-8"))
        for part, fields in self.tokenizer.items():
            tokenizer[part] = tokenizer[part] | fields
        tokenizer_file.write_text(json.dumps(tokenizer, ensure_ascii=False), encoding="utf-8")
        return folder


def _added(index: int, content: str, **flags: bool) -> dict[str, Any]:
    usual = {"lstrip": False, "rstrip": False, "normalized": False, "single_word": False, "special": False}
    return {str(index): {"content": content} | usual | flags}


VARIANTS = {
    "as exported": Variant("bert-cls"),
    "cased by the config": Variant("bert-cls", {"do_lower_case": False}),
    "accents kept": Variant("bert-cls", {"strip_accents": False}),
    "cased without accents": Variant("bert-cls", {"do_lower_case": False, "strip_accents": True}),
    "Chinese characters in one piece": Variant("bert-cls", {"tokenize_chinese_chars": False}),
    "lower case where nothing is said": Variant(
        "bert-cls", without=("do_lower_case",), tokenizer={"normalizer": {"lowercase": False}}
    ),
    "a class without rules": Variant(
        "bert-cls", {"tokenizer_class": "PreTrainedTokenizerFast", "do_lower_case": False}
    ),
    "MPNet cased": Variant("mpnet-embed", {"do_lower_case": False, "tokenize_chinese_chars": False}),
    "ELECTRA lower case": Variant("electra-tok", {"do_lower_case": True}),
    "a space before the text": Variant("roberta-cls", {"add_prefix_space": True}),
    "no space before the text": Variant(
        "roberta-cls", without=("add_prefix_space",), tokenizer={"pre_tokenizer": {"add_prefix_space": True}}
    ),
    "offsets with their spaces": Variant("roberta-cls", {"trim_offsets": False}),
    "offsets trimmed after all": Variant(
        "roberta-cls", without=("trim_offsets",), tokenizer={"post_processor": {"trim_offsets": False}}
    ),
    "ModernBERT with a space": Variant("modernbert-embed", {"add_prefix_space": True}),
    "a mask that takes the space before it": Variant(
        "electra-tok", {"added_tokens_decoder": _added(4, "[MASK]", lstrip=True, special=True)}
    ),
    "a token that only the config knows": Variant(
        "electra-tok", {"added_tokens_decoder": _added(500, "new_token", normalized=True)}
    ),
    "special tokens spelled out are text": Variant("bert-cls", {"split_special_tokens": True}),
    "cut on the left": Variant("bert-cls", {"truncation_side": "left"}),
}
