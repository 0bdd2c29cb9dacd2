"""Splitting a graph from its weights: nothing is lost, and the halves run as the whole did."""

import mmap
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

from encoderfile.builder.onnx_graph import OnnxGraph
from encoderfile.container import PAGE
from encoderfile.manifest import WEIGHTS
from encoderfile.model.device import Device
from encoderfile.model.session import Session
from support.graphs import copy, save_external
from support.hub import into_hub_cache
from support.models import MODELS

GRAPHS = sorted(path.parent.name for path in MODELS.glob("*/model.onnx"))
CPU = Device("cpu", "tests")


def feeds(inputs: list[str], rows: int = 2, tokens: int = 9) -> dict[str, np.ndarray]:
    ids = np.arange(rows * tokens, dtype=np.int64).reshape(rows, tokens) + 5
    mask = np.ones_like(ids)
    mask[1, 6:] = 0
    every = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
    return {name: every[name] for name in inputs}


def whole(folder: Path) -> list[np.ndarray]:
    """What onnxruntime gives for the file as it was exported."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
    return list(session.run(None, feeds([node.name for node in session.get_inputs()])))


def split(folder: Path, target: Path) -> list[np.ndarray]:
    """What the small graph gives with its weights mapped from a file of their own, as in the executable."""
    graph, slices, length = OnnxGraph(folder / "model.onnx").layout()
    weights = bytearray(length)
    for piece in slices:
        with piece.path.open("rb") as source:
            source.seek(piece.offset)
            weights[piece.at : piece.at + piece.length] = source.read(piece.length)
    target.write_bytes(weights)
    with target.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    session = Session(graph, {WEIGHTS: mapped}, device=CPU, threads=1)
    fed = feeds([each.name for each in session.inputs])
    return [session.run(fed, output.name) for output in session.outputs]


@pytest.mark.parametrize("name", GRAPHS)
def test_a_split_graph_gives_what_the_whole_one_gives(name: str, tmp_path: Path) -> None:
    for one, other in zip(split(MODELS / name, tmp_path / "weights"), whole(MODELS / name), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("one_file", [True, False], ids=["one data file", "a file per tensor"])
@pytest.mark.parametrize("threshold", [0, 5000], ids=["all tensors", "large tensors"])
def test_weights_that_lie_outside_the_graph_are_found(tmp_path: Path, one_file: bool, threshold: int) -> None:
    folder = copy("bert-embed", tmp_path / "model")
    before = whole(folder)
    save_external(folder, one_file=one_file, threshold=threshold)
    for one, other in zip(split(folder, tmp_path / "weights"), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_check_runs_external_weights_where_they_lie(tmp_path: Path) -> None:
    folder = copy("bert-embed", tmp_path / "model")
    before = whole(folder)
    save_external(folder)
    session = Session(*OnnxGraph(folder / "model.onnx").in_place(), device=CPU, threads=1)
    found = session.run(feeds([each.name for each in session.inputs]), "last_hidden_state")
    np.testing.assert_array_equal(found, before[0])


@pytest.mark.parametrize("inner", ["", "onnx"])
def test_weights_may_be_links_into_a_hubs_cache(tmp_path: Path, inner: str) -> None:
    folder = copy("bert-embed", tmp_path / "models--org--name" / "snapshots" / "1a2b" / inner)
    before = whole(folder)
    save_external(folder)
    into_hub_cache(tmp_path / "models--org--name")
    (tmp_path / "out").mkdir()
    np.testing.assert_array_equal(split(folder, tmp_path / "out" / "weights")[0], before[0])


@pytest.mark.parametrize("name", GRAPHS)
def test_every_tensor_of_a_page_or_more_leaves_the_graph_with_its_bytes(name: str) -> None:
    path = MODELS / name / "model.onnx"
    large = {
        each.name: numpy_helper.to_array(each).tobytes()
        for each in onnx.load(path).graph.initializer
        if len(each.raw_data) >= PAGE
    }
    found = OnnxGraph(path).tensors
    assert [tensor.name for tensor in found] == list(large)
    for tensor in found:
        assert path.read_bytes()[tensor.offset : tensor.offset + tensor.length] == large[tensor.name]


@pytest.mark.parametrize("name", GRAPHS)
def test_the_rest_of_the_model_is_untouched(name: str) -> None:
    path = MODELS / name / "model.onnx"
    before = onnx.load(path)
    after = onnx.load_model_from_string(OnnxGraph(path).layout()[0])
    for model in (before, after):
        for tensor in model.graph.initializer:
            if len(tensor.raw_data) >= PAGE or tensor.external_data:
                tensor.ClearField("raw_data")
                tensor.ClearField("external_data")
                tensor.ClearField("data_location")
    assert after == before


def test_every_tensor_of_the_weights_begins_on_a_page() -> None:
    graph, slices, length = OnnxGraph(MODELS / "bert-cls" / "model.onnx").layout()
    assert slices
    assert all(piece.at % PAGE == 0 for piece in slices)
    assert length % PAGE == 0
    assert slices[-1].at + slices[-1].length <= length
    assert len(graph) < 150_000, "the weights are no longer in the graph"


def test_the_operators_are_known() -> None:
    found = OnnxGraph(MODELS / "bert-cls" / "model.onnx").op_types
    assert found == {node.op_type for node in onnx.load(MODELS / "bert-cls" / "model.onnx").graph.node}
