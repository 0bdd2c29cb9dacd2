"""The limit of a model: the smallest number that any of its files gives, and no sentinel."""

from typing import Any

import pytest

from encoderfile.builder.config import TokenizerWishes
from encoderfile.builder.folder import ModelFolder
from encoderfile.builder.limits import FALLBACK_LENGTH
from encoderfile.builder.tokenizer_spec import tokenizer_spec
from encoderfile.errors import ConfigError
from support.refusals import one_sentence
from support.synthetic import folder

SENTINEL = 1000000000000000019884624838656


def limit(model: ModelFolder, fixed_tokens: int | None = None, **wishes: Any) -> int:
    return tokenizer_spec(model, TokenizerWishes(**wishes), fixed_tokens).max_length


def bert(model_max_length: object = 512, positions: object = 512, seq: object = 512, **config: Any) -> ModelFolder:
    return folder(
        config={"model_type": "bert", "max_position_embeddings": positions, **config},
        tokenizer_config={"model_max_length": model_max_length},
        sentence_bert={"max_seq_length": seq},
    )


@pytest.mark.parametrize(
    ("model", "fixed_tokens"),
    [(bert(model_max_length=100), None), (bert(positions=100), None), (bert(seq=100), None), (bert(), 100)],
    ids=["the tokenizer's", "the positions'", "the sentence model's", "the graph's shape"],
)
def test_the_smallest_limit_wins(model: ModelFolder, fixed_tokens: int | None) -> None:
    assert limit(model, fixed_tokens) == 100


@pytest.mark.parametrize("nothing", [SENTINEL, 1e30, 10**9, float("inf"), None, 0, -1, "512", True])
def test_what_is_no_limit_does_not_count(nothing: object) -> None:
    assert limit(bert(model_max_length=nothing, positions=200, seq=nothing)) == 200
    assert limit(bert(model_max_length=nothing, positions=None, seq=nothing)) == FALLBACK_LENGTH


def test_positions_that_are_no_number_do_not_count() -> None:
    assert limit(bert(positions=None, seq=64)) == 64
    assert limit(bert(positions="512", seq=64)) == 64


def test_a_limit_written_as_a_float_is_whole() -> None:
    assert limit(bert(model_max_length=256.0)) == 256


@pytest.mark.parametrize(
    "family",
    ["roberta", "xlm-roberta", "camembert", "mpnet", "xlm-roberta-xl", "roberta-prelayernorm", "longformer"],
)
def test_positions_that_begin_behind_the_padding_id_leave_two_less(family: str) -> None:
    model = folder(config={"model_type": family, "max_position_embeddings": 514, "pad_token_id": 1})
    assert limit(model) == 512


def test_the_padding_id_says_how_many_positions_are_lost() -> None:
    assert limit(folder(config={"model_type": "roberta", "max_position_embeddings": 514, "pad_token_id": 3})) == 510
    assert limit(folder(config={"model_type": "roberta", "max_position_embeddings": 514})) == 512


def test_bert_loses_no_position_to_its_padding() -> None:
    assert limit(folder(config={"model_type": "bert", "max_position_embeddings": 514, "pad_token_id": 1})) == 514


@pytest.mark.parametrize("family", ["deberta-v2", "t5", "xlnet"])
def test_relative_positions_are_no_limit(family: str) -> None:
    model = folder(
        config={"model_type": family, "max_position_embeddings": 100, "position_biased_input": False},
        tokenizer_config={"model_max_length": 900},
    )
    assert limit(model) == 900


def test_deberta_without_a_word_about_it_has_a_table_of_positions() -> None:
    model = folder(
        config={"model_type": "deberta-v2", "max_position_embeddings": 100},
        tokenizer_config={"model_max_length": 900},
    )
    assert limit(model) == 100


def test_without_any_limit_a_model_gets_the_length_it_was_made_for() -> None:
    model = folder(
        config={"model_type": "deberta-v2", "max_position_embeddings": 100, "position_biased_input": False}
    )
    assert limit(model) == 100


def test_some_families_call_their_positions_otherwise() -> None:
    assert limit(folder(config={"n_positions": 300})) == 300


@pytest.mark.parametrize(
    ("truncation", "found"),
    [
        ({"max_length": 128}, 128),
        (None, FALLBACK_LENGTH),
        ({"max_length": SENTINEL}, FALLBACK_LENGTH),
        ({"max_length": 0}, FALLBACK_LENGTH),
    ],
)
def test_without_any_other_limit_the_tokenizers_own_truncation_stands(truncation: object, found: int) -> None:
    assert limit(folder(tokenizer_json={"truncation": truncation})) == found


def test_the_tokenizers_own_truncation_bounds_nothing_where_files_say_more() -> None:
    model = folder(sentence_bert={"max_seq_length": 256}, tokenizer_json={"truncation": {"max_length": 128}})
    assert limit(model) == 256


@pytest.mark.parametrize("wish", ["max_length", "fixed_length"])
def test_a_limit_may_be_lowered(wish: str) -> None:
    assert limit(bert(), **{wish: 16}) == 16


@pytest.mark.parametrize(
    ("model", "fixed_tokens", "origin"),
    [
        (bert(model_max_length=100), None, "model_max_length in tokenizer_config.json"),
        (bert(seq=100), None, "max_seq_length in sentence_bert_config.json"),
        (bert(positions=100), None, "the position embeddings in config.json"),
        (bert(), 100, "the fixed shape of the graph"),
        (folder(tokenizer_json={"truncation": {"max_length": 100}}), None, "truncation in tokenizer.json"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize(("wish", "flag"), [("max_length", "--max-length"), ("fixed_length", "pad_strategy fixed")])
def test_a_limit_above_the_models_is_refused_with_its_origin(
    model: ModelFolder, fixed_tokens: int | None, origin: str, wish: str, flag: str
) -> None:
    assert limit(model, fixed_tokens, **{wish: 100}) == 100
    with pytest.raises(ConfigError) as refusal:
        limit(model, fixed_tokens, **{wish: 101})
    assert one_sentence(refusal.value) == f"{flag} 101 is more than the model takes: at most 100 tokens ({origin})"


def test_where_no_file_gives_a_limit_any_may_be_asked_for() -> None:
    assert limit(folder(), max_length=8192) == 8192


def test_padding_to_a_fixed_length_also_cuts_there() -> None:
    spec = tokenizer_spec(bert(), TokenizerWishes(fixed_length=32, max_length=48), None)
    assert (spec.pad_to, spec.max_length) == (32, 32)
    spec = tokenizer_spec(bert(), TokenizerWishes(fixed_length=32, max_length=16), None)
    assert (spec.pad_to, spec.max_length) == (32, 16)
