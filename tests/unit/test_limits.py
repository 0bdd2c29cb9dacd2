"""The limit of a model: what its own library cuts at, capped by what the graph can take, and no sentinel."""

from collections.abc import Sequence
from typing import Any

import pytest

from encoderfile.builder.config import TokenizerOptions
from encoderfile.builder.folder import ModelFolder
from encoderfile.builder.tokenizer_spec import FALLBACK_LENGTH, Table, tokenizer_spec
from encoderfile.builder.tokenizer_spec import limit as found_limit
from encoderfile.errors import ConfigError
from support.refusals import one_sentence
from support.synthetic import folder

SENTINEL = 1000000000000000019884624838656


WORDS = Table("embeddings.word_embeddings.weight", 1000)
TRANSFORMER = ({"type": "sentence_transformers.models.Transformer"},)


def limit(model: ModelFolder, fixed_tokens: int | None = None, tables: Sequence[Table] = (), **options: Any) -> int:
    return tokenizer_spec(model, TokenizerOptions(**options), fixed_tokens, tables).max_length


def bert(model_max_length: object = 512, positions: object = 512, seq: object = 512, **config: Any) -> ModelFolder:
    return folder(
        config={"model_type": "bert", "max_position_embeddings": positions, **config},
        tokenizer_config={"model_max_length": model_max_length},
        sentence_bert={"max_seq_length": seq},
    )


@pytest.mark.parametrize(
    ("model", "fixed_tokens"),
    [
        (bert(model_max_length=100, seq=None), None),
        (bert(positions=100), None),
        (bert(seq=100), None),
        (bert(), 100),
    ],
    ids=["the tokenizer's", "the positions'", "the sentence model's", "the graph's shape"],
)
def test_each_file_may_set_the_limit(model: ModelFolder, fixed_tokens: int | None) -> None:
    assert limit(model, fixed_tokens) == 100


@pytest.mark.parametrize("tokenizers", [100, 400])
def test_sentence_transformers_puts_its_length_in_the_place_of_the_tokenizers(tokenizers: int) -> None:
    assert limit(bert(model_max_length=tokenizers, seq=256)) == 256


def test_without_a_length_of_its_own_sentence_transformers_takes_no_more_than_was_trained() -> None:
    rotary = {"model_type": "qwen2", "max_position_embeddings": 100}
    sizes: dict[str, Any] = {"config": rotary, "tokenizer_config": {"model_max_length": 400}}
    assert limit(folder(**sizes, modules=TRANSFORMER), tables=[WORDS]) == 100
    assert limit(folder(**sizes, modules=TRANSFORMER, sentence_bert={"max_seq_length": 300}), tables=[WORDS]) == 300
    assert limit(folder(**sizes), tables=[WORDS]) == 400


@pytest.mark.parametrize("key", ["tokenizer_args", "processor_kwargs"])
def test_a_length_for_the_tokenizer_itself_wins_over_all_others(key: str) -> None:
    # `tokenizer_config` holds such arguments already: `tokenizer_rules` lays them over it.
    model = folder(
        config={"model_type": "qwen2", "max_position_embeddings": 100},
        tokenizer_config={"model_max_length": 300},
        sentence_bert={key: {"model_max_length": 300}, "max_seq_length": 50},
        modules=TRANSFORMER,
    )
    assert limit(model, tables=[WORDS]) == 300


@pytest.mark.parametrize("nothing", [SENTINEL, 1e30, 10**9, float("inf"), None, 0, -1, "512", True])
def test_what_is_not_a_limit_does_not_count(nothing: object) -> None:
    assert limit(bert(model_max_length=nothing, positions=200, seq=nothing)) == 200
    assert limit(bert(model_max_length=nothing, positions=None, seq=nothing)) == FALLBACK_LENGTH


def test_positions_that_are_not_a_number_do_not_count() -> None:
    assert limit(bert(positions=None, seq=64)) == 64
    assert limit(bert(positions="512", seq=64)) == 64


def test_a_limit_written_as_a_float_is_whole() -> None:
    assert limit(bert(model_max_length=256.0, seq=None)) == 256


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
def test_relative_positions_are_not_a_limit(family: str) -> None:
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


@pytest.mark.parametrize("option", ["max_length", "fixed_length"])
def test_a_limit_may_be_lowered(option: str) -> None:
    assert limit(bert(), **{option: 16}) == 16


@pytest.mark.parametrize(
    ("model", "fixed_tokens", "origin"),
    [
        (folder(tokenizer_config={"model_max_length": 100}), None, "model_max_length in tokenizer_config.json"),
        (folder(sentence_bert={"max_seq_length": 100}), None, "max_seq_length in sentence_bert_config.json"),
        (bert(positions=100), None, "the table of position embeddings"),
        (bert(), 100, "the fixed shape of the graph"),
        (folder(tokenizer_json={"truncation": {"max_length": 100}}), None, "truncation in tokenizer.json"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize(("option", "flag"), [("max_length", "--max-length"), ("fixed_length", "pad_strategy fixed")])
def test_a_limit_above_the_models_is_refused_with_its_origin(
    model: ModelFolder, fixed_tokens: int | None, origin: str, option: str, flag: str
) -> None:
    assert limit(model, fixed_tokens, **{option: 100}) == 100
    with pytest.raises(ConfigError) as refusal:
        limit(model, fixed_tokens, **{option: 101})
    assert one_sentence(refusal.value) == f"{flag} 101 is more than the model takes: at most 100 tokens ({origin})"


@pytest.mark.parametrize("option", ["max_length", "fixed_length"])
def test_a_limit_may_be_raised_to_what_the_graph_takes(option: str) -> None:
    assert limit(bert(seq=128), **{option: 512}) == 512


def test_without_a_table_a_limit_may_be_raised_to_another_one_of_the_files() -> None:
    model = folder(
        config={"model_type": "qwen2", "max_position_embeddings": 300},
        tokenizer_config={"model_max_length": 400},
        sentence_bert={"max_seq_length": 100},
    )
    assert limit(model, tables=[WORDS], max_length=400) == 400
    with pytest.raises(ConfigError, match=r"at most 400 tokens \(model_max_length in tokenizer_config.json\)"):
        limit(model, tables=[WORDS], max_length=401)


def test_where_no_file_gives_a_limit_any_may_be_asked_for() -> None:
    assert limit(folder(), max_length=8192) == 8192


def test_padding_to_a_fixed_length_also_truncates_there() -> None:
    spec = tokenizer_spec(bert(), TokenizerOptions(fixed_length=32, max_length=48), None)
    assert (spec.pad_to, spec.max_length) == (32, 32)
    spec = tokenizer_spec(bert(), TokenizerOptions(fixed_length=32, max_length=16), None)
    assert (spec.pad_to, spec.max_length) == (32, 16)


@pytest.mark.parametrize("kind", ["mistral", "qwen3", "modernbert", "nomic_bert", "new", "gemma3_text", "eurobert"])
def test_a_graph_that_looks_up_words_alone_has_no_table_of_positions(kind: str) -> None:
    model = folder(
        config={"model_type": kind, "max_position_embeddings": 16, "n_positions": 64, "vocab_size": 1000},
        tokenizer_config={"model_max_length": 300},
    )
    assert limit(model, tables=[WORDS]) == 300


@pytest.mark.parametrize("positions", ["alibi", "rotary", "relative_key"])
def test_a_bert_with_other_positions_has_no_table(positions: str) -> None:
    model = bert(positions=128, seq=None, position_embedding_type=positions)
    assert limit(model, tables=[WORDS]) == 512


def test_distances_that_are_looked_up_reach_to_both_sides() -> None:
    table = Table("encoder.layer.0.attention.self.distance_embedding.weight", 2 * 128 - 1)
    model = bert(positions=128, seq=None, position_embedding_type="relative_key")
    assert limit(model, tables=[WORDS, table]) == 128


@pytest.mark.parametrize(
    ("kind", "table", "found"),
    [
        ("new", Table("onnx::Gather_123", 128), 128),
        ("new", Table("encoder.embed_positions.weight", 130), 128),
        ("xlm-roberta", Table("embeddings.position_embeddings.weight", 128), 126),
        ("gpt2", Table("wpe.weight", 128), 128),
    ],
    ids=["by its rows", "with two rows for padding", "behind the padding id", "by its name"],
)
def test_a_table_of_positions_caps_whatever_the_model_is_called(kind: str, table: Table, found: int) -> None:
    model = folder(
        config={"model_type": kind, "max_position_embeddings": 128, "vocab_size": 1000},
        tokenizer_config={"model_max_length": 300},
        sentence_bert={"max_seq_length": 200},
    )
    assert limit(model, tables=[WORDS, table]) == found


def test_a_table_that_holds_less_than_config_json_says_caps_too() -> None:
    table = Table("bert.embeddings.position_embeddings.weight", 64)
    assert limit(bert(), tables=[WORDS, table]) == 64


def test_tables_of_other_things_are_not_a_limit() -> None:
    types = Table("embeddings.token_type_embeddings.weight", 2)
    distances = Table("encoder.relative_attention_bias.weight", 32)
    model = folder(
        config={"model_type": "new", "max_position_embeddings": 1000, "vocab_size": 1000},
        tokenizer_config={"model_max_length": 3000},
    )
    assert limit(model, tables=[WORDS, types, distances]) == 3000


def test_the_positions_of_a_picture_do_not_bound_a_text() -> None:
    model = folder(config={"model_type": "clip", "text_config": {"max_position_embeddings": 32}})
    vision = Table("vision_model.embeddings.position_embedding.weight", 17)
    assert limit(model, tables=[vision, Table("text_model.embeddings.position_embedding.weight", 32)]) == 32


def test_a_limit_says_how_far_it_may_go() -> None:
    found = found_limit(bert(seq=128), None, [WORDS])
    assert (found.tokens, found.most) == (128, 512)
