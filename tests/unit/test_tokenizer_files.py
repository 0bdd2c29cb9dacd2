"""Which class reads a tokenizer, what cannot be followed, and what sentence-transformers adds."""

import json
from pathlib import Path
from typing import Any

import pytest

from encoderfile.builder.folder import open_folder
from encoderfile.builder.tokenizer_classes import tokenizer_class
from encoderfile.builder.tokenizer_overrides import EffectiveTokenizer, TokenizerFiles, effective_tokenizer
from encoderfile.errors import ModelError
from encoderfile.manifest import TokenizerSpec
from encoderfile.model.tokenizer import Tokenizer
from support import graphs
from support.refusals import one_sentence

BERT = {"tokenizer_class": "BertTokenizer"}
REMEDY = (
    'if tokenizer.json alone gives the right ids, write "tokenizer_class": "PreTrainedTokenizerFast" into '
    "tokenizer_config.json"
)
MADE_AGAIN = (
    "tokenizer_config.json has add_prefix_space or from_slow, for which transformers converts the tokenizer again "
    "from its slow form: write it with `AutoTokenizer.from_pretrained(MODEL).save_pretrained(FOLDER)` and "
    "remove the two"
)


@pytest.mark.parametrize(
    ("tokenizer_config", "config", "family"),
    [
        ({"tokenizer_class": "BertTokenizer"}, {"model_type": "roberta"}, "Bert"),
        ({"tokenizer_class": "BertTokenizerFast"}, {}, "Bert"),
        ({"tokenizer_class": None}, {"tokenizer_class": "MPNetTokenizer", "model_type": "bert"}, "MPNet"),
        ({}, {"model_type": "mistral"}, "Llama"),
        ({}, {"model_type": "modernbert"}, "PreTrained"),
        ({"tokenizer_class": "PreTrainedTokenizerFast"}, {"model_type": "bert"}, "PreTrained"),
        ({"tokenizer_class": "BertTokenizer", "auto_map": {"AutoTokenizer": ["a.B", "a.BFast"]}}, {}, "Bert"),
        ({}, {"model_type": "bert", "auto_map": {"AutoModel": "a.B"}}, "Bert"),
    ],
)
def test_the_class_is_the_one_that_auto_tokenizer_takes(
    tokenizer_config: dict[str, Any], config: dict[str, Any], family: str
) -> None:
    assert tokenizer_class(tokenizer_config, config).name == family


@pytest.mark.parametrize(
    ("tokenizer_config", "config", "message"),
    [
        (
            {"tokenizer_class": "BertweetTokenizer"},
            {},
            f"no fast form of the tokenizer class BertweetTokenizer is known: {REMEDY}",
        ),
        (
            {"tokenizer_class": "OurTokenizer", "auto_map": {"AutoTokenizer": ["ours.OurTokenizer", None]}},
            {},
            f"the tokenizer has its own code (auto_map), which is never run: {REMEDY}",
        ),
        (
            {},
            {"model_type": "ours", "auto_map": {"AutoTokenizer": ["ours.OurTokenizer", None]}},
            f"the tokenizer has its own code (auto_map), which is never run: {REMEDY}",
        ),
        (
            {},
            {"model_type": "ours"},
            "tokenizer_config.json has no tokenizer_class and the model_type ours of config.json is not known: "
            + REMEDY,
        ),
        ({}, {}, f"tokenizer_config.json has no tokenizer_class and config.json has no model_type: {REMEDY}"),
        (
            {},
            {"model_type": "roformer"},
            "RoFormerTokenizer needs rjieba, which tokenizer.json does not contain: answers would differ, "
            "so this model cannot be built",
        ),
    ],
    ids=["slow alone", "code", "code of the model", "an unknown model", "nothing", "a dictionary"],
)
def test_a_class_that_cannot_be_followed_is_refused(
    tokenizer_config: dict[str, Any], config: dict[str, Any], message: str
) -> None:
    with pytest.raises(ModelError) as refusal:
        tokenizer_class(tokenizer_config, config)
    assert one_sentence(refusal.value) == message


def rule(config: dict[str, Any], **more: Any) -> EffectiveTokenizer:
    tokenizer = json.loads((graphs.MODELS / "bert-cls" / "tokenizer.json").read_text(encoding="utf-8"))
    return effective_tokenizer(TokenizerFiles(tokenizer, config, **more))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {"tokenizer_class": "LlamaTokenizer", "add_eos_token": True, "bos_token": "[CLS]", "eos_token": None},
            "tokenizer_config.json has no eos_token, which its own settings add around texts: correct it",
        ),
        (
            {"tokenizer_class": "LlamaTokenizer"},
            "tokenizer.json has no token <s>, which LlamaTokenizer adds around texts: the two belong to different "
            "models, export the tokenizer again",
        ),
        (
            {"tokenizer_class": "LlamaTokenizer", "add_prefix_space": True},
            MADE_AGAIN,
        ),
        (
            {"tokenizer_class": "BertTokenizer", "from_slow": True},
            MADE_AGAIN,
        ),
    ],
    ids=["no end", "no beginning", "made again", "made again, by name"],
)
def test_settings_that_cannot_be_followed_are_refused(config: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError) as refusal:
        rule(config, model_config={"vocab_size": 1200})
    assert one_sentence(refusal.value) == message


def test_sentence_transformers_lowers_before_all_else() -> None:
    normalizer = rule(BERT, sentence_bert={"do_lower_case": True}).tokenizer["normalizer"]
    assert [part["type"] for part in normalizer["normalizers"]] == ["Lowercase", "BertNormalizer"]


def test_a_sequence_gets_one_more_and_a_lowercase_that_is_there_will_do() -> None:
    folder = graphs.MODELS / "deberta-v2-cls"
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    parts = tokenizer["normalizer"]["normalizers"]
    files = TokenizerFiles(
        tokenizer, {"tokenizer_class": "DebertaV2Tokenizer"}, sentence_bert={"do_lower_case": True}
    )
    once = effective_tokenizer(files).tokenizer
    assert once["normalizer"]["normalizers"] == [{"type": "Lowercase"}, *parts]
    again = TokenizerFiles(once, files.config, sentence_bert=files.sentence_bert)
    assert effective_tokenizer(again).tokenizer["normalizer"] == once["normalizer"]


def test_lowered_texts_keep_their_offsets() -> None:
    config = BERT | {"do_lower_case": False, "strip_accents": False}
    lowered = rule(config, sentence_bert={"do_lower_case": True}).tokenizer
    text = "İstanbul ΣΊΣΥΦΟΣ \U00010400 GREAT"
    (encoded,) = Tokenizer(json.dumps(lowered).encode(), TokenizerSpec(100))([text], with_tokens=True)
    covered = [text[token.start : token.end] for token in encoded.tokens[1:-1]]
    assert "".join(covered) == text.replace(" ", "")
    assert encoded.tokens[-2].token.lower() == encoded.tokens[-2].token


@pytest.mark.parametrize("key", ["tokenizer_args", "processor_kwargs"])
def test_arguments_for_the_tokenizer_win_over_its_own_file(key: str) -> None:
    given = {"padding_side": "left", "do_lower_case": False}
    found = rule(BERT | {"padding_side": "right"}, sentence_bert={key: given})
    assert found.config["padding_side"] == "left"
    assert found.tokenizer["normalizer"]["lowercase"] is False


@pytest.mark.parametrize("kind", ["roberta", "distilbert", "xlnet"])
def test_sentence_transformers_older_names_of_its_file_are_read(kind: str, tmp_path: Path) -> None:
    folder = graphs.copy("mpnet-embed", tmp_path / "model")
    (folder / "sentence_bert_config.json").rename(folder / f"sentence_{kind}_config.json")
    assert open_folder(folder).sentence_bert["max_seq_length"] == 64
