"""What tokenizer_config.json changes, against transformers' own tokenizers."""

import json
from pathlib import Path

import pytest

from encoderfile.builder.folder import open_folder
from encoderfile.errors import ModelError
from exports.variants import CUT, PAIR, TEXTS, VARIANTS
from support import graphs
from support.models import checked, open_model
from support.truth import tokenizer

TRUTH = json.loads(Path(__file__).with_name("variants.json").read_text(encoding="utf-8"))["cases"]


@pytest.mark.parametrize("name", VARIANTS)
def test_the_tokenizer_is_ruled_as_the_reference_rules_it(name: str, tmp_path: Path) -> None:
    folder = VARIANTS[name].write(tmp_path / "model")
    found = [
        {"input_ids": text.input_ids.tolist(), "offsets": [[token.start, token.end] for token in text.tokens]}
        for limit in (1000, CUT)
        for text in tokenizer(folder, limit)([*TEXTS, PAIR], with_tokens=True)
    ]
    assert found == TRUTH[name]


def test_a_tokenizer_that_no_rule_changes_ships_as_it_was_exported() -> None:
    folder = open_folder(graphs.MODELS / "bert-cls")
    assert folder.files["tokenizer.json"] == (graphs.MODELS / "bert-cls" / "tokenizer.json").read_bytes()


def test_a_changed_tokenizer_ships_changed(tmp_path: Path) -> None:
    folder = VARIANTS["cased by the config"].write(tmp_path / "model")
    shipped = json.loads(checked(folder).folder.files["tokenizer.json"])
    assert shipped["normalizer"]["lowercase"] is False
    assert shipped["model"] == json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]


@pytest.mark.parametrize("family", ["RoFormerTokenizer", "RoFormerTokenizerFast", "BertJapaneseTokenizer"])
def test_a_tokenizer_that_needs_a_dictionary_is_refused(family: str, tmp_path: Path) -> None:
    folder = graphs.copy("bert-cls", tmp_path / "model")
    graphs.edit_json(folder, "tokenizer_config.json", tokenizer_class=family)
    with pytest.raises(
        ModelError, match=r"needs (rjieba|MeCab or SudachiPy), which tokenizer\.json does not contain"
    ):
        open_folder(folder)


def test_offsets_count_code_points_of_the_text_whatever_the_normaliser_did() -> None:
    text = "½ ﬁn e\u0301 ａｂ 😀x"
    (encoded,) = open_model(graphs.MODELS / "deberta-v2-cls").tokenizer([text], with_tokens=True)
    covered = {index for token in encoded.tokens for index in range(token.start, token.end)}
    # The accent is part of the letter before it once both are one character; the library counts the letter alone.
    assert covered | {text.index("\u0301")} == set(range(len(text)))
