"""How texts are padded and cut, as the tokenizer's files and the options say."""

from typing import Any

import pytest

from encoderfile.builder.config import TokenizerOptions
from encoderfile.builder.folder import ModelFolder
from encoderfile.builder.tokenizer_spec import tokenizer_spec
from encoderfile.errors import ModelError
from encoderfile.manifest import TokenizerSpec
from support.refusals import one_sentence
from support.synthetic import folder

WORDS = {"model": {"vocab": {"[UNK]": 0, "[PAD]": 7}}}


def spec(model: ModelFolder, **options: Any) -> TokenizerSpec:
    return tokenizer_spec(model, TokenizerOptions(**options), None)


@pytest.mark.parametrize(
    "tokenizer",
    [
        WORDS,
        {"added_tokens": [{"id": 3, "content": "[UNK]"}, {"id": 7, "content": "[PAD]"}], "model": {"vocab": {}}},
        {"model": {"type": "Unigram", "vocab": [[str(index), -1.0] for index in range(7)] + [["[PAD]", 0.0]]}},
    ],
    ids=["vocabulary", "added tokens", "unigram"],
)
@pytest.mark.parametrize("named", ["[PAD]", {"content": "[PAD]", "lstrip": False}], ids=["text", "object"])
def test_the_padding_token_is_looked_up_by_its_name(tokenizer: dict[str, Any], named: object) -> None:
    assert spec(folder(tokenizer_config={"pad_token": named}, tokenizer_json=tokenizer)).pad_token_id == 7


def test_a_padding_token_that_the_tokenizer_does_not_have_is_refused() -> None:
    with pytest.raises(ModelError) as refusal:
        spec(folder(tokenizer_config={"pad_token": "<pad>"}, tokenizer_json=WORDS))
    assert one_sentence(refusal.value) == (
        "tokenizer.json has no padding token <pad>, which tokenizer_config.json names: "
        "the two belong to different models, export the tokenizer again"
    )


@pytest.mark.parametrize(
    ("model", "found"),
    [
        (folder(config={"pad_token_id": 5}, tokenizer_json={"padding": {"pad_id": 6}}), 5),
        (folder(tokenizer_json={"padding": {"pad_id": 6}}), 6),
        (folder(config={"pad_token_id": None}, tokenizer_json={"padding": None}), 0),
        (folder(config={"pad_token_id": -1}), 0),
    ],
    ids=["config.json", "tokenizer.json", "nowhere", "negative"],
)
def test_without_a_name_the_padding_id_comes_from_the_next_best_file(model: ModelFolder, found: int) -> None:
    assert spec(model).pad_token_id == found


def test_everything_left_alone_is_as_usual() -> None:
    assert spec(folder()) == TokenizerSpec(max_length=512)


def test_the_models_own_sides_and_type_id_are_kept() -> None:
    found = spec(folder(tokenizer_config={"padding_side": "left", "truncation_side": "left", "pad_token_type_id": 3}))
    assert (found.padding_side, found.truncation_side, found.pad_token_type_id) == ("left", "left", 3)


def test_options_win_over_the_models_files() -> None:
    found = spec(
        folder(tokenizer_config={"truncation_side": "left"}),
        truncation_side="right",
        truncation_strategy="only_first",
        stride=3,
    )
    assert (found.truncation_side, found.truncation_strategy, found.stride) == ("right", "only_first", 3)


@pytest.mark.parametrize("key", ["padding_side", "truncation_side"])
def test_an_unknown_side_is_refused(key: str) -> None:
    with pytest.raises(ModelError) as refusal:
        spec(folder(tokenizer_config={key: "middle"}))
    assert one_sentence(refusal.value) == f"{key} in tokenizer_config.json is middle: correct it to left or right"
