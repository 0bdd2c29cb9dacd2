"""Graphs in other forms than the usual one answer as the usual one does."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from encoderfile.model import padding
from encoderfile.model.model import Model
from encoderfile.tasks.sequence_classification import SequenceLabels
from encoderfile.types import FloatArray
from support import graphs
from support.models import MODELS, checked, open_model
from support.truth import close

TEXTS = ["Hello world!", "The film was wonderful. I would happily watch it again tomorrow."]
HALF = 2e-2
"""Three digits: what float16 and bfloat16 hold."""


def logits(model: Model) -> FloatArray:
    results = model.run(model.encode(TEXTS))
    return np.stack([each.logits for each in results if isinstance(each, SequenceLabels)])


def changed(folder: Path, change: graphs.Change) -> Model:
    """BERT for sequences with its graph changed, as the runtime loads it."""
    graphs.edit_graph(graphs.copy("bert-cls", folder), change)
    return open_model(folder)


def narrow_output(element: int) -> graphs.Change:
    """The first output in another number type."""

    def change(model: onnx.ModelProto) -> None:
        output = model.graph.output[0]
        graphs.rename(model, output.name, "wide")
        output.type.tensor_type.elem_type = element
        model.graph.node.append(helper.make_node("Cast", ["wide"], [output.name], to=element))

    return change


def output_first(model: onnx.ModelProto) -> None:
    """An output nobody asked for stands before the one that is needed."""
    extra = helper.make_tensor_value_info("attentions", TensorProto.INT64, ["batch", "tokens"])
    model.graph.output.insert(0, extra)
    model.graph.node.append(helper.make_node("Identity", ["input_ids"], ["attentions"]))


@pytest.mark.parametrize(
    ("change", "tolerance"),
    [
        pytest.param(graphs.int32_inputs, 1e-6, id="int32 inputs"),
        pytest.param(narrow_output(TensorProto.FLOAT16), HALF, id="float16 output"),
        pytest.param(narrow_output(TensorProto.BFLOAT16), HALF, id="bfloat16 output"),
        pytest.param(narrow_output(TensorProto.DOUBLE), 1e-6, id="float64 output"),
        pytest.param(output_first, 1e-6, id="another output first"),
        pytest.param(graphs.fixed_shape(1, 32), 1e-5, id="one text of 32 tokens at a time"),
        pytest.param(graphs.fixed_shape(4, 32), 1e-5, id="four texts of 32 tokens at a time"),
    ],
)
def test_a_graph_in_another_form_answers_the_same(
    change: Callable[[onnx.ModelProto], object], tolerance: float, tmp_path: Path
) -> None:
    found = logits(changed(tmp_path / "model", change))
    assert found.dtype == np.float32
    close(found, logits(open_model(MODELS / "bert-cls")), tolerance, "logits")


def test_an_output_that_python_cannot_take_is_widened_in_the_graph_that_ships(tmp_path: Path) -> None:
    graphs.edit_graph(graphs.copy("bert-cls", tmp_path / "model"), narrow_output(TensorProto.BFLOAT16))
    found = checked(tmp_path / "model")
    assert found.manifest.graph.output == "logits_as_float32"
    shipped = onnx.load_model_from_string(found.graph.layout()[0])
    assert [each.name for each in shipped.graph.output] == ["logits", "logits_as_float32"]
    assert shipped.graph.node[-1].op_type == "Cast"


def asks_for_positions(model: onnx.ModelProto) -> None:
    """Positions are looked up from an input instead of being counted in the graph."""
    (node,) = [
        each for each in model.graph.node if each.input and each.input[0].endswith("position_embeddings.weight")
    ]
    node.input[1] = "position_ids"
    model.graph.input.append(helper.make_tensor_value_info("position_ids", TensorProto.INT64, ["batch", "tokens"]))


@pytest.mark.parametrize("name", ["bert-cls", "roberta-cls"])
def test_positions_begin_where_the_family_counts_from(name: str, tmp_path: Path) -> None:
    graphs.edit_graph(graphs.copy(name, tmp_path / "model"), asks_for_positions)
    changed_model = open_model(tmp_path / "model")
    assert "position_ids" in [each.name for each in changed_model.manifest.graph.inputs]
    close(logits(changed_model), logits(open_model(MODELS / name)), 1e-5, name)


@pytest.mark.parametrize(("names", "types"), [(["input_ids", "attention_mask"], 0), (["token_type_ids"], 1)])
def test_a_tokenizer_without_token_types_feeds_zeros(names: list[str], types: int, tmp_path: Path) -> None:
    folder = graphs.copy("bert-cls", tmp_path / "model")
    graphs.edit_json(folder, "tokenizer_config.json", model_input_names=names)
    model = open_model(folder)
    fed, _ = padding.feeds(model.encode([("one text", "another")]), model.manifest.graph, model.manifest.tokenizer)
    assert fed["token_type_ids"].max() == types
