"""Writes families.json: what transformers' own tokenizers give for each family, and the tiny tokenizers in bases/.

Needs transformers 4.57, sentencepiece and protobuf, which no test does. Bases that are there are kept, because
training them again gives others. Run: python tests/exports/remake_families.py
"""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import sentencepiece
import transformers
from families import BASES, CUT, FAMILIES, PAIR, TEXTS
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer, LlamaTokenizerFast, T5TokenizerFast

CORPUS = [
    "The quick brown fox jumps over the lazy dog in two spaces here.",
    "How many people live in Berlin? Berlin has 3.7 million.",
    "Café ÅNGSTRÖM in İstanbul and 東京 or a new token",
    "cafe angstrom in istanbul how many people live in berlin",
] * 8
SPECIAL = ["<unk>", "<s>", "</s>", "<pad>", "<mask>", "[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]", "<cls>", "<sep>"]
SPECIAL += ["de_DE", "en_XX"]


def wordpiece() -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(CORPUS, trainers.WordPieceTrainer(vocab_size=200, special_tokens=SPECIAL))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]")],
    )
    return tokenizer


def byte_level() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=350, special_tokens=SPECIAL, initial_alphabet=alphabet)
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(
        *((token, tokenizer.token_to_id(token)) for token in ("</s>", "<s>")), add_prefix_space=False
    )
    return tokenizer


def in_sequence(tokenizer: Tokenizer) -> Tokenizer:
    changed = Tokenizer.from_str(tokenizer.to_str())
    changed.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r" ?\S+|\s+"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    changed.post_processor = processors.ByteLevel(trim_offsets=False)
    return changed


def sentencepiece_model(name: str, kind: str, size: int) -> Path:
    file = BASES / f"{name}.model"
    if not file.exists():
        with file.open("wb") as writer:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=iter(CORPUS),
                model_writer=writer,
                model_type=kind,
                vocab_size=size,
                user_defined_symbols=SPECIAL[3:],
                byte_fallback=kind == "bpe",
                hard_vocab_limit=False,
                normalization_rule_name="identity",
                minloglevel=2,
            )
    return file


def converted(cls: Any, model: Path) -> Tokenizer:
    """The slow tokenizer's fast form, as transformers makes it from the sentencepiece model."""
    return (
        cls(vocab_file=str(model), extra_ids=0).backend_tokenizer
        if cls is T5TokenizerFast
        else cls(vocab_file=str(model)).backend_tokenizer
    )


def write_bases() -> None:
    """The bases that lack."""
    makers = {
        "wordpiece": wordpiece,
        "bytes": byte_level,
        "bytes-in-sequence": lambda: in_sequence(Tokenizer.from_file(str(BASES / "bytes.json"))),
        "llama": lambda: converted(LlamaTokenizerFast, sentencepiece_model("llama", "bpe", 420)),
        "pieces": lambda: converted(T5TokenizerFast, sentencepiece_model("pieces", "unigram", 150)),
    }
    for name, make in makers.items():
        file = BASES / f"{name}.json"
        if not file.exists():
            body = json.dumps(json.loads(make().to_str()), ensure_ascii=False, indent=0)
            file.write_text(body + "\n", encoding="utf-8")


def entry(tokenizer: Any, text: str, pair: str | None, limit: int | None) -> dict[str, Any]:
    """One text, or a pair, cut at `limit` tokens."""
    found = tokenizer(
        text,
        pair,
        truncation=limit is not None,
        max_length=limit,
        return_offsets_mapping=True,
        return_token_type_ids=True,
    )
    return {
        "input_ids": found["input_ids"],
        "token_type_ids": found["token_type_ids"],
        "offsets": [list(each) for each in found["offset_mapping"]],
    }


def truth(tokenizer: Any) -> dict[str, Any]:
    """All that the tests compare."""
    return {
        "texts": [
            *(entry(tokenizer, text, None, None) for text in TEXTS),
            *(entry(tokenizer, *PAIR, limit) for limit in (None, CUT)),
        ],
        "padding_side": tokenizer.padding_side,
        "truncation_side": tokenizer.truncation_side,
        "pad_token_id": None if tokenizer.pad_token is None else tokenizer.pad_token_id,
        "token_types": "token_type_ids" in tokenizer.model_input_names,
        "max_length": tokenizer.model_max_length if tokenizer.model_max_length < 10**9 else None,
    }


def main() -> None:
    cases = {}
    write_bases()
    for name, family in FAMILIES.items():
        with tempfile.TemporaryDirectory() as temporary:
            folder = family.write(Path(temporary) / "model")
            if (BASES / f"{family.base}.model").exists():
                for file in ("tokenizer.model", "spiece.model"):
                    shutil.copy(BASES / f"{family.base}.model", folder / file)
            cases[name] = truth(AutoTokenizer.from_pretrained(folder))
    body = {"made_with": f"transformers {transformers.__version__}", "cases": cases}
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    Path(__file__).with_name("families.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
