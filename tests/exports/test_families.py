"""Which tokenizer a folder has, and what its class assumes and rewrites, against transformers' own tokenizers."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from encoderfile.builder.config import TokenizerOptions
from encoderfile.builder.folder import ModelFolder, open_folder
from encoderfile.builder.tokenizer_spec import tokenizer_spec
from encoderfile.manifest import TokenizerSpec
from encoderfile.model.tokenizer import Tokenizer
from exports.families import CUT, FAMILIES, PAIR, TEXTS, Family

TRUTH = json.loads(Path(__file__).with_name("families.json").read_text(encoding="utf-8"))["cases"]


def opened(family: Family, tmp_path: Path) -> tuple[ModelFolder, TokenizerSpec]:
    folder = family.write(tmp_path / "model")
    (folder / "model.onnx").touch()
    found = open_folder(folder)
    return found, tokenizer_spec(found, TokenizerOptions(), None)


def encoded(found: ModelFolder, spec: TokenizerSpec) -> list[dict[str, Any]]:
    texts = []
    for text, limit in [*((text, 1000) for text in TEXTS), (PAIR, 1000), (PAIR, CUT)]:
        tokenizer = Tokenizer(found.files["tokenizer.json"], dataclasses.replace(spec, max_length=limit))
        (each,) = tokenizer([text], with_tokens=True)
        texts.append(
            {
                "input_ids": each.input_ids.tolist(),
                "token_type_ids": each.token_type_ids.tolist(),
                "offsets": [[token.start, token.end] for token in each.tokens],
            }
        )
    return texts


@pytest.mark.parametrize("name", FAMILIES)
def test_a_folder_is_tokenized_as_the_reference_does_it(name: str, tmp_path: Path) -> None:
    assert encoded(*opened(FAMILIES[name], tmp_path)) == TRUTH[name]["texts"]


@pytest.mark.parametrize("name", FAMILIES)
def test_sides_padding_and_inputs_are_those_of_the_class(name: str, tmp_path: Path) -> None:
    wanted = TRUTH[name]
    found, spec = opened(FAMILIES[name], tmp_path)
    assert (spec.padding_side, spec.truncation_side) == (wanted["padding_side"], wanted["truncation_side"])
    assert spec.token_types == wanted["token_types"]
    if wanted["max_length"] is not None:
        assert spec.max_length == wanted["max_length"]
    rows = found.config["vocab_size"]
    if wanted["pad_token_id"] is not None and wanted["pad_token_id"] < rows:
        assert spec.pad_token_id == wanted["pad_token_id"]


def test_the_truth_covers_what_the_table_lists() -> None:
    assert TRUTH.keys() == FAMILIES.keys()
