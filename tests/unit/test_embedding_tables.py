"""The tables that a graph looks rows up in, found in the graph itself."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from encoderfile.builder.onnx_graph import OnnxGraph
from encoderfile.builder.tokenizer_spec import tables_of
from support.models import MODELS

ROWS = 7


def rows(path: Path) -> dict[str, int]:
    return {table.name.rpartition(".")[0].rpartition(".")[2]: table.rows for table in tables_of(OnnxGraph(path))}


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("bert-cls", {"word_embeddings": 1200, "token_type_embeddings": 2, "position_embeddings": 64}),
        ("mpnet-embed", {"word_embeddings": 1200, "position_embeddings": 66, "relative_attention_bias": 32}),
        ("modernbert-embed", {"tok_embeddings": 600}),
    ],
)
def test_an_exports_tables_are_found(name: str, found: dict[str, int]) -> None:
    assert rows(MODELS / name / "model.onnx") == found


def written(tmp_path: Path, nodes: list[onnx.NodeProto], table: np.ndarray) -> Path:  # type: ignore[type-arg]
    ids = helper.make_tensor_value_info("ids", TensorProto.INT64, [None])
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, [None, 4])
    graph = helper.make_graph(nodes, "g", [ids], [out], [numpy_helper.from_array(table, "m.positions.weight")])
    onnx.save(helper.make_model(graph), tmp_path / "model.onnx")
    return tmp_path / "model.onnx"


def test_a_quantised_table_is_seen_through(tmp_path: Path) -> None:
    scale = helper.make_node("Constant", [], ["scale"], value_float=0.5)
    dequantize = helper.make_node("DequantizeLinear", ["m.positions.weight", "scale"], ["wide"])
    gather = helper.make_node("Gather", ["wide", "ids"], ["out"], axis=0)
    path = written(tmp_path, [scale, dequantize, gather], np.zeros((ROWS, 4), np.int8))
    assert rows(path) == {"positions": ROWS}


def test_a_matrix_whose_columns_are_looked_up_is_not_a_table(tmp_path: Path) -> None:
    gather = helper.make_node("Gather", ["m.positions.weight", "ids"], ["out"], axis=1)
    assert rows(written(tmp_path, [gather], np.zeros((ROWS, 4), np.float32))) == {}


def test_the_three_tables_of_a_fused_bert_are_seen(tmp_path: Path) -> None:
    names = ["ids", "", "m.positions.weight", "m.positions.weight", "m.positions.weight", "gamma", "beta"]
    fused = helper.make_node("EmbedLayerNormalization", names, ["out"], domain="com.microsoft")
    assert rows(written(tmp_path, [fused], np.zeros((ROWS, 4), np.float32))) == {"positions": ROWS}
