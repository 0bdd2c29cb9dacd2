"""Unusual graphs that are served, with the numbers of the usual one."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime.quantization
import pytest

from encoderfile.builder.check import check
from encoderfile.builder.config import BuildConfig, TokenizerOptions
from encoderfile.manifest import GraphInput
from encoderfile.model.device import Device
from encoderfile.model.model import Model
from encoderfile.model.session import Session
from encoderfile.model.tokenizer import Tokenizer
from support import graphs
from support.graphs import copy, edit_graph
from support.models import MODELS, open_model
from support.refusals import refusal
from support.truth import close

TEXTS = ["Hello world!", "a", "The quick brown fox jumps over the lazy dog.", "naïve 😀", "one two three"]


def opened(folder: Path, **config: Any) -> Model:
    found = check(BuildConfig(path=folder, **config))
    session = Session(*found.graph.in_place(), device=Device("cpu", "tests"), threads=1)
    return Model(found.manifest, Tokenizer(found.folder.files["tokenizer.json"], found.manifest.tokenizer), session)


def logits(model: Model, texts: list[str] = TEXTS) -> npt.NDArray[np.float32]:
    return np.stack([result.logits for result in model.run(model.encode(texts))])


def alone(model: Model) -> npt.NDArray[np.float32]:
    return np.concatenate([logits(model, [text]) for text in TEXTS])


USUAL = logits(open_model(MODELS / "bert-cls"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copy("bert-cls", tmp_path / "model")


def test_a_graph_that_wants_int32_gets_it(folder: Path) -> None:
    edit_graph(folder, graphs.int32_inputs)
    model = opened(folder)
    assert {each.dtype for each in model.manifest.graph.inputs} == {"int32"}
    np.testing.assert_array_equal(logits(model), USUAL)


def test_a_graph_that_gives_float16_is_read_as_float32(folder: Path) -> None:
    edit_graph(folder, graphs.half_output)
    found = logits(opened(folder))
    assert found.dtype == np.float32
    close(found, USUAL, 1e-3, "float16 holds three digits")


@pytest.mark.parametrize("batch", [1, 2, 8])
def test_a_graph_of_fixed_shape_is_run_in_that_shape_as_often_as_needed(folder: Path, batch: int) -> None:
    edit_graph(folder, graphs.fixed_shape(batch, 32))
    model = opened(folder)
    assert model.manifest.graph.inputs[0] == GraphInput("input_ids", "int64", batch, 32)
    assert model.manifest.tokenizer.max_length == 32
    close(logits(model), USUAL, 1e-5, "fixed shape")


def test_a_graph_of_fixed_batch_and_free_length_keeps_its_limit(folder: Path) -> None:
    def one_row(model: Any) -> None:
        for each in model.graph.input:
            each.type.tensor_type.shape.dim[0].dim_value = 1

    edit_graph(folder, one_row)
    model = opened(folder)
    assert model.manifest.tokenizer.max_length == 64
    close(logits(model), USUAL, 1e-5, "one row")


def test_a_graph_that_asks_for_positions_counts_real_tokens(tmp_path: Path) -> None:
    folder = copy("bert-embed", tmp_path / "model")
    edit_graph(folder, graphs.with_position_ids)
    moved, usual = opened(folder), open_model(MODELS / "bert-embed")
    for one, other in zip(moved.run(moved.encode(TEXTS)), usual.run(usual.encode(TEXTS)), strict=True):
        positions = np.arange(len(one.tokens))[:, None]
        close(one.embeddings - other.embeddings, np.broadcast_to(positions * 1e-3, one.embeddings.shape), 1e-4, "")


@pytest.mark.parametrize("one_file", [True, False])
def test_weights_beside_the_graph_give_the_same_answers(folder: Path, one_file: bool) -> None:
    graphs.save_external(folder, one_file=one_file)
    np.testing.assert_array_equal(logits(opened(folder)), USUAL)


@pytest.mark.parametrize("name", ["model_quantized.onnx", "onnx/model.onnx", "onnx/model_fp16.onnx"])
def test_a_graph_is_found_by_the_exporters_other_names(folder: Path, name: str) -> None:
    (folder / "onnx").mkdir()
    (folder / "model.onnx").rename(folder / name)
    np.testing.assert_array_equal(logits(opened(folder)), USUAL)


def test_padding_to_a_fixed_length_changes_no_answer(folder: Path) -> None:
    model = opened(folder, tokenizer=TokenizerOptions(fixed_length=32))
    assert model.manifest.tokenizer.pad_to == 32
    close(logits(model), USUAL, 1e-5, "padded to 32")


@pytest.mark.parametrize("name", ["mpnet-embed", "xlmr-tok"])
def test_padding_on_the_left_changes_no_answer(tmp_path: Path, name: str) -> None:
    folder = copy(name, tmp_path / "model")
    graphs.edit_json(folder, "tokenizer_config.json", padding_side="left")
    left, right = opened(folder), open_model(MODELS / name)
    assert left.manifest.tokenizer.padding_side == "left"
    for one, other in zip(left.run(left.encode(TEXTS)), right.run(right.encode(TEXTS)), strict=True):
        for field in ("logits", "embedding"):
            if hasattr(other, field):
                close(getattr(one, field), getattr(other, field), 1e-5, field)


@pytest.mark.parametrize(
    ("each_column", "bound"), [(0.0, 1e-6), (1e-9, 1e-6), (5e-8, 1e-5), (1e-7, 1e-5), (1e-6, 1e-4)]
)
def test_the_little_that_padding_changes_is_written_down_without_the_digits_of_this_processor(
    folder: Path, each_column: float, bound: float
) -> None:
    edit_graph(folder, graphs.counts_columns(each_column))
    assert check(BuildConfig(path=folder)).manifest.max_padding_difference == bound


def test_a_model_that_reads_the_last_column_is_told_to_pad_on_the_left(tmp_path: Path) -> None:
    folder = copy("mpnet-embed", tmp_path / "model")
    edit_graph(folder, graphs.reads_the_last_column)
    text = refusal(folder)
    assert "when a text is padded on the right in a batch with longer ones" in text
    assert text.endswith("set padding_side to left in tokenizer_config.json, where answers stay the same")
    graphs.edit_json(folder, "tokenizer_config.json", padding_side="left")
    assert opened(folder).manifest.tokenizer.padding_side == "left"


def test_a_model_that_counts_positions_from_the_left_is_told_to_pad_on_the_right(folder: Path) -> None:
    graphs.edit_json(folder, "tokenizer_config.json", padding_side="left")
    text = refusal(folder)
    assert "when a text is padded on the left in a batch with longer ones" in text
    assert "set padding_side to right in tokenizer_config.json" in text


@pytest.fixture(scope="module")
def quantised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """bert-cls with activations quantised over the whole batch, as `optimum-cli onnxruntime quantize` makes it."""
    folder = copy("bert-cls", tmp_path_factory.mktemp("quantised") / "model")
    onnxruntime.quantization.quantize_dynamic(folder / "model.onnx", folder / "model_quantized.onnx")
    (folder / "model.onnx").unlink()
    return folder


def test_a_dynamically_quantised_graph_gives_the_same_alone_and_in_a_batch(quantised: Path) -> None:
    model = opened(quantised)
    np.testing.assert_array_equal(logits(model), alone(model))
    close(logits(model), USUAL, 0.1, "8 bits are near enough to be the same model")


def test_a_dynamically_quantised_graph_would_differ_if_texts_shared_a_run(quantised: Path) -> None:
    model = opened(quantised)
    manifest = model.manifest
    assert not manifest.graph.batchable
    together = Model(
        dataclasses.replace(manifest, graph=dataclasses.replace(manifest.graph, batchable=True)),
        model.tokenizer,
        model.session,
    )
    assert np.abs(logits(together) - alone(model)).max() > 1e-3


def test_the_check_says_that_quantised_texts_run_alone(quantised: Path) -> None:
    found = check(BuildConfig(path=quantised))
    assert found.notes == ("the graph quantises activations over the whole batch, so each text is run alone",)
    assert ("note", found.notes[0]) in found.rows()


def test_a_model_is_named_after_its_folder_unless_it_has_a_name(folder: Path) -> None:
    assert check(BuildConfig(path=folder)).manifest.name == "model"
    assert check(BuildConfig(path=folder, name="other", version="9")).manifest.name == "other"


def test_the_findings_are_listed_for_people(folder: Path) -> None:
    rows = dict(check(BuildConfig(path=folder)).rows())
    assert rows["graph"] == "model.onnx, 0.4 MB of weights"
    assert rows["model type"] == "sequence_classification (config.json names BertForSequenceClassification)"
    assert rows["inputs"] == "input_ids, attention_mask, token_type_ids"
    assert rows["output"] == "logits"
    assert rows["limit"] == "64 tokens"
    assert rows["labels"] == "negative, neutral, positive"
    assert rows["alone or in a batch"].startswith("answers differ by at most ")
    assert "pooling" not in rows


def test_the_pooling_is_listed_where_there_is_one() -> None:
    rows = dict(check(BuildConfig(path=MODELS / "mpnet-embed")).rows())
    assert rows["pooling"] == "mean, normalised"
    rows = dict(check(BuildConfig(path=MODELS / "bert-embed", model_type="sentence_embedding")).rows())
    assert rows["pooling"] == "mean, not normalised"


def test_a_multi_label_model_is_known_by_its_problem_type(folder: Path) -> None:
    assert not check(BuildConfig(path=folder)).manifest.multi_label
    graphs.edit_json(folder, "config.json", problem_type="multi_label_classification")
    assert check(BuildConfig(path=folder)).manifest.multi_label


def test_a_regression_is_known_by_its_problem_type(folder: Path) -> None:
    graphs.edit_json(folder, "config.json", problem_type="regression", function_to_apply="sigmoid")
    model = opened(folder)
    assert (model.manifest.regression, model.manifest.multi_label) == (True, False)
    (result,) = model.run(model.encode(["Hello world!"]))
    np.testing.assert_array_equal(result.scores, result.logits)


def test_the_same_folder_gives_the_same_manifest(folder: Path) -> None:
    first, second = (check(BuildConfig(path=folder)).manifest.to_bytes() for _ in range(2))
    assert first == second


@pytest.mark.parametrize("strategy", ["only_first", "only_second"])
def test_a_limit_that_a_pair_cannot_be_truncated_to_is_one_for_single_texts(strategy: str, folder: Path) -> None:
    model = opened(folder, tokenizer=TokenizerOptions(max_length=12, truncation_strategy=strategy))
    np.testing.assert_array_equal(logits(model, ["a"]), logits(open_model(MODELS / "bert-cls"), ["a"]))
