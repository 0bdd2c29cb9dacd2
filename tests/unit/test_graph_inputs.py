"""What each input of a graph is fed with: by its name, by an option, as a constant or as an empty cache."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto

from encoderfile.builder.check import check
from encoderfile.builder.config import BuildConfig
from encoderfile.builder.graph_inputs import graph_inputs
from encoderfile.errors import ConfigError, ModelError
from encoderfile.manifest import GraphInput
from encoderfile.model.device import Device
from encoderfile.model.model import Model
from encoderfile.model.session import Session, ValueInfo
from encoderfile.model.tokenizer import Tokenizer
from encoderfile.types import FloatArray
from support import graphs
from support.graphs import copy, edit_graph
from support.models import MODELS, open_model
from support.refusals import one_sentence, refusal
from support.synthetic import folder
from support.truth import close

TEXTS = ["Hello world!", "a", "The quick brown fox jumps over the lazy dog."]


def value(name: str, *shape: int | None, dtype: str = "int64") -> ValueInfo:
    return ValueInfo(name, dtype, shape)


IDS, MASK = value("input_ids", None, None), value("attention_mask", None, None)
HEADS = {"num_attention_heads": 4, "hidden_size": 32}


def fed(*inputs: ValueInfo, config: dict[str, Any] | None = None, **options: str) -> list[GraphInput]:
    return list(graph_inputs(folder(config=config or {}), inputs, options))


def refused(*inputs: ValueInfo, kind: type[Exception] = ModelError, **parts: Any) -> str:
    with pytest.raises(kind) as refusal:
        fed(*inputs, **parts)
    assert isinstance(refusal.value, ModelError | ConfigError)
    return one_sentence(refusal.value)


def test_the_usual_names_are_their_own_roles() -> None:
    assert fed(IDS, value("attention_mask", 2, 16)) == [
        GraphInput("input_ids", "int64"),
        GraphInput("attention_mask", "int64", 2, 16),
    ]


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("attention_mask:0", "attention_mask"),
        ("input_mask", "attention_mask"),
        ("segment_ids:0", "token_type_ids"),
        ("input_type_ids", "token_type_ids"),
        ("position_ids:1", "position_ids"),
    ],
)
def test_other_names_in_use_are_known(name: str, role: str) -> None:
    assert fed(IDS, value(name, None, None))[1].role == role


def test_an_option_says_what_a_name_does_not() -> None:
    found = fed(value("0", None, None), value("mask", None, None), input_ids="0", attention_mask="mask")
    assert [each.role for each in found] == ["input_ids", "attention_mask"]


def test_an_input_that_nothing_is_known_of_names_the_flag() -> None:
    assert refused(value("tokens", None, None)) == (
        "the graph has no input called input_ids (its inputs: tokens): name it with --input input_ids=NAME, "
        "or export the model with `optimum-cli export onnx`"
    )
    text = refused(IDS, value("bbox", None, None, 4))
    assert text.endswith(
        "export the encoder alone, or, if one value is right for all texts, give it with --input bbox=VALUE"
    )


def test_the_tasks_that_config_json_lists_are_told() -> None:
    config = {"lora_adaptations": ["retrieval.query", "retrieval.passage"]}
    text = refused(IDS, value("task_id"), config=config)
    assert text.endswith("--input task_id=VALUE (0 is retrieval.query, 1 is retrieval.passage)")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"task": "0"}, "--input task=0: the graph has no such input, it has input_ids, task_id;"),
        ({"task_id": "zero"}, "--input task_id=zero should be a number, true or false, or the name of an input"),
        ({"task_id": "nan"}, "--input task_id=nan should be a number"),
        ({"task_id": "0.5"}, "--input task_id=0.5 should be an integer in the range of int64"),
        ({"task_id": "1e30"}, "--input task_id=1e+30 should be an integer in the range of int64"),
    ],
)
def test_an_option_that_the_graph_cannot_follow_is_refused(options: dict[str, str], words: str) -> None:
    assert words in refused(IDS, value("task_id"), kind=ConfigError, **options)


def test_a_string_is_not_a_constant() -> None:
    assert "the graph has no input called input_ids (its inputs: input_ids)" in refused(IDS, input_ids="0")


def test_two_inputs_of_one_role_are_a_doubt() -> None:
    text = refused(IDS, MASK, value("input_mask", None, None))
    assert "several inputs for attention_mask (attention_mask, input_mask): choose one with --input" in text


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (value("attention_mask", None, 1, None, None), "takes attention_mask with 4 dimensions"),
        (value("attention_mask", None, None, dtype="bfloat16"), "takes attention_mask as bfloat16"),
    ],
)
def test_an_input_of_texts_has_two_dimensions_and_a_type_that_can_be_fed(bad: ValueInfo, words: str) -> None:
    assert words in refused(IDS, bad)


def test_a_cache_of_a_fixed_batch_keeps_it() -> None:
    (_, cache) = fed(IDS, value("past_key_values.0.key", 1, 2, None, 16, dtype="float32"), config=HEADS)
    assert (cache.shape, cache.batch) == ((1, 2, 0, 16), 1)


@pytest.mark.parametrize("shape", [(None, 2, None, 16), (None, None, None, None)])
def test_a_cache_is_empty_and_has_the_form_of_the_graph_or_of_config_json(shape: tuple[int | None, ...]) -> None:
    config = {**HEADS, "num_key_value_heads": 2, "head_dim": 16}
    (_, cache) = fed(IDS, value("past_key_values.0.key", *shape, dtype="float16"), config=config)
    assert (cache.role, cache.shape, cache.dtype) == ("constant", (None, 2, 0, 16), "float16")


def test_the_size_of_a_head_is_its_share_of_the_model() -> None:
    (_, cache) = fed(IDS, value("past_key_values.0.value", None, None, None, None, dtype="float32"), config=HEADS)
    assert cache.shape == (None, 4, 0, 8)


@pytest.mark.parametrize(
    ("shape", "config", "words"),
    [
        ((None, 16, None), HEADS, "a cache past_key_values.0.key of an unknown shape"),
        ((None, 2, 128, 16), HEADS, "a cache past_key_values.0.key of an unknown shape"),
        ((None, None, None, None), {}, "config.json does not give the shape of the cache"),
    ],
)
def test_a_cache_of_another_form_is_refused(
    shape: tuple[int | None, ...], config: dict[str, Any], words: str
) -> None:
    text = refused(IDS, value("past_key_values.0.key", *shape, dtype="float32"), config=config)
    assert words in text
    assert text.endswith("export it without a cache, `optimum-cli export onnx --task feature-extraction`")


def test_the_branch_with_a_cache_is_not_taken() -> None:
    (_, branch) = fed(IDS, value("use_cache_branch", 1, dtype="bool"))
    assert (branch.value, branch.shape) == (0, (1,))


def opened(path: Path, **config: Any) -> Model:
    found = check(BuildConfig(path=path, **config))
    session = Session(*found.graph.in_place(), device=Device("cpu", "tests"), threads=1)
    return Model(found.manifest, Tokenizer(found.folder.files["tokenizer.json"], found.manifest.tokenizer), session)


def vectors(model: Model) -> list[FloatArray]:
    return [result.embeddings for result in model.run(model.encode(TEXTS))]


USUAL = vectors(open_model(MODELS / "bert-embed"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return copy("bert-embed", tmp_path / "model")


@pytest.mark.parametrize("dtype", [TensorProto.FLOAT, TensorProto.FLOAT16])
def test_a_graph_with_a_cache_answers_as_without(path: Path, dtype: int) -> None:
    edit_graph(path, graphs.with_cache(dtype))
    for one, other in zip(vectors(opened(path)), USUAL, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "shape", [(), ("batch",), (1,), ("batch", 1), ("batch", "tokens"), ("batch", "tokens", 4)], ids=repr
)
@pytest.mark.parametrize("dtype", [TensorProto.INT64, TensorProto.INT32, TensorProto.FLOAT])
def test_a_constant_reaches_the_graph_in_its_shape_and_type(path: Path, shape: tuple[Any, ...], dtype: int) -> None:
    edit_graph(path, graphs.with_constant("task_id", dtype, shape))
    model = opened(path, inputs={"task_id": "3"})
    assert model.manifest.graph.fixed_tokens is None
    for one, other in zip(vectors(model), USUAL, strict=True):
        close(one - 3, other, 1e-5, "three more")


@pytest.mark.parametrize(("word", "number"), [("true", 1), ("False", 0)])
def test_a_constant_may_be_true_or_false(path: Path, word: str, number: int) -> None:
    edit_graph(path, graphs.with_constant("flag", TensorProto.BOOL))
    for one, other in zip(vectors(opened(path, inputs={"flag": word})), USUAL, strict=True):
        close(one - number, other, 1e-5, word)


def test_a_usual_input_may_be_a_constant(path: Path) -> None:
    found = opened(path, inputs={"token_type_ids": "0"}).manifest.graph.inputs[2]
    assert (found.role, found.value, found.shape) == ("constant", 0, (None, None))


def test_inputs_under_other_names_give_the_usual_numbers(path: Path) -> None:
    for old, new in (("input_ids", "input_ids:0"), ("attention_mask", "visible"), ("token_type_ids", "0")):
        edit_graph(path, graphs.renamed_input(old, new))
    assert "the graph needs visible" in refusal(path)
    model = opened(path, inputs={"attention_mask": "visible", "token_type_ids": "0"})
    for one, other in zip(vectors(model), USUAL, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_findings_say_what_each_input_is_fed_with(path: Path) -> None:
    edit_graph(path, graphs.with_cache())
    edit_graph(path, graphs.with_constant("task_id"))
    edit_graph(path, graphs.renamed_input("input_ids", "input_ids:0"))
    rows = dict(check(BuildConfig(path=path, inputs={"task_id": "2"})).rows())
    assert rows["inputs"] == (
        "input_ids:0 as input_ids, attention_mask, token_type_ids, past_key_values.0.key empty, task_id = 2"
    )


def test_a_constant_that_the_graph_cannot_take_is_refused(path: Path) -> None:
    edit_graph(path, graphs.looks_up("task_id", rows=2))
    check(BuildConfig(path=path, inputs={"task_id": "1"}))
    text = refusal(path, inputs={"task_id": "2"})
    assert text.startswith("the graph fails on a short text (")
    assert text.endswith("): give another value for --input task_id=2")
