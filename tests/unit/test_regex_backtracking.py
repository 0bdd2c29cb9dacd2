"""Regular expressions of a tokenizer that take too long are found before a file is made of them."""

import json
from pathlib import Path
from typing import Any

import pytest

from encoderfile.builder.regex_backtracking import refuse_backtracking
from encoderfile.errors import ModelError
from support.graphs import copy, edit_json
from support.refusals import one_sentence, refusal

QWEN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|"
    r"\s+(?!\S)|\s+"
)
CLIP = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


def split(pattern: str) -> dict[str, Any]:
    step = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
    return {"pre_tokenizer": {"type": "Sequence", "pretokenizers": [step]}}


def replace(pattern: str) -> dict[str, Any]:
    return {"normalizer": {"type": "Replace", "pattern": {"Regex": pattern}, "content": " "}}


@pytest.mark.parametrize("make", [split, replace])
@pytest.mark.parametrize("pattern", [QWEN, CLIP, r" {2,}", r"^\s+|\s+$", r"\s{2,}|[\n\r\t]"])
def test_patterns_of_real_tokenizers_pass(pattern: str, make: Any) -> None:
    refuse_backtracking(make(pattern))


def test_a_tokenizer_without_patterns_is_not_tried() -> None:
    refuse_backtracking({"normalizer": {"type": "BertNormalizer"}, "pre_tokenizer": None})


@pytest.mark.parametrize(
    ("pattern", "make"),
    [
        (r"(a+)+$", split),
        (r"(\w+\s?)*$", replace),
        (r"(x+x+)+y", split),
        (r"(?:q|qq)+$", replace),
        (r"(.*)*\d$", split),
        (r"(\d+)*z", split),
        (r"(?:\s*\w+\s*)+;", replace),
        (r"x(ab|a|b)+y$", split),
        (r"\w*\w*\w*\w*\w*\w*!", split),
    ],
)
def test_a_pattern_that_comes_to_no_end_is_refused(pattern: str, make: Any) -> None:
    with pytest.raises(ModelError) as refused:
        refuse_backtracking(make(pattern))
    assert pattern in one_sentence(refused.value)


def test_the_check_of_a_folder_tries_its_patterns(tmp_path: Path) -> None:
    folder = copy("bert-embed", tmp_path / "model")
    body = json.loads((folder / "tokenizer.json").read_text())
    edit_json(folder, "tokenizer.json", **(body | split(r"(a+)+$")))
    assert "takes too long on some texts" in refusal(folder)
