"""Exports with one thing changed, made from good ones."""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from support.models import MODELS

Change = Callable[[onnx.ModelProto], object]


def copy(name: str, target: Path) -> Path:
    """A copy of `tests/models/NAME` at `target`, free to be changed."""
    shutil.copytree(MODELS / name, target)
    return target


def edit_json(folder: Path, file: str, *without: str, **fields: Any) -> None:
    """Sets fields of a JSON file, which may be new, and removes those named `without`."""
    path = folder / file
    body = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    body = {key: value for key, value in (body | fields).items() if key not in without}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(body, ensure_ascii=False), encoding="utf-8")


def edit_graph(folder: Path, change: Change) -> None:
    """Loads `model.onnx`, changes it and writes it back."""
    model = onnx.load(folder / "model.onnx")
    change(model)
    onnx.save(model, folder / "model.onnx")


def replace_bytes(folder: Path, name: bytes, other: bytes) -> None:
    """Writes `other` for `name`, which is as long, wherever `model.onnx` has it."""
    assert len(name) == len(other)
    path = folder / "model.onnx"
    path.write_bytes(path.read_bytes().replace(name, other))


def save_external(
    folder: Path, *, one_file: bool = True, threshold: int = 0, location: str = "model.onnx_data"
) -> None:
    """Moves the weights out of `model.onnx`, as the exporter does with large models."""
    model = onnx.load(folder / "model.onnx")
    (folder / "model.onnx").unlink()
    onnx.save(
        model,
        folder / "model.onnx",
        save_as_external_data=True,
        all_tensors_to_one_file=one_file,
        location="model.onnx_data" if one_file else None,
        size_threshold=threshold,
    )


def weight(model: onnx.ModelProto, ending: str) -> onnx.TensorProto:
    """The initializer whose name ends so."""
    return next(each for each in model.graph.initializer if each.name.endswith(ending))


def external(tensor: onnx.TensorProto, **entries: str) -> None:
    """Sets entries of a tensor's external data: location, offset, length."""
    for key, value in entries.items():
        found = next((entry for entry in tensor.external_data if entry.key == key), None)
        (tensor.external_data.add(key=key) if found is None else found).value = value


def int32_inputs(model: onnx.ModelProto) -> None:
    """Every input becomes int32, with a Cast behind it."""
    for each in model.graph.input:
        each.type.tensor_type.elem_type = TensorProto.INT32
    _behind_inputs(model, lambda name, wide: helper.make_node("Cast", [name], [wide], to=TensorProto.INT64))


def half_output(model: onnx.ModelProto) -> None:
    """The first output becomes float16."""
    output = model.graph.output[0]
    rename(model, output.name, "wide_output")
    output.type.tensor_type.elem_type = TensorProto.FLOAT16
    model.graph.node.append(helper.make_node("Cast", ["wide_output"], [output.name], to=TensorProto.FLOAT16))


def fixed_shape(batch: int, tokens: int) -> Change:
    """Every input takes this shape only."""

    def change(model: onnx.ModelProto) -> None:
        for each in model.graph.input:
            for dimension, size in zip(each.type.tensor_type.shape.dim, (batch, tokens), strict=True):
                dimension.Clear()
                dimension.dim_value = size

    return change


def damaged_weight(model: onnx.ModelProto) -> None:
    """One LayerNorm weight is not a number, and so is every answer."""
    tensor = weight(model, "LayerNorm.weight")
    values = numpy_helper.to_array(tensor).copy()
    values[0] = np.nan
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))


def nan_for_token(token_id: int) -> Change:
    """The vector of one token is not a number: only texts that hold it have no answer."""

    def change(model: onnx.ModelProto) -> None:
        tensor = weight(model, "word_embeddings.weight")
        values = numpy_helper.to_array(tensor).copy()
        values[token_id] = np.nan
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))

    return change


def renamed_input(old: str, new: str) -> Change:
    """One input under another name."""

    def change(model: onnx.ModelProto) -> None:
        next(each for each in model.graph.input if each.name == old).name = new
        for node in model.graph.node:
            node.input[:] = [new if name == old else name for name in node.input]

    return change


def renamed_output(new: str) -> Change:
    """The first output under another name."""

    def change(model: onnx.ModelProto) -> None:
        rename(model, model.graph.output[0].name, new)
        model.graph.output[0].name = new

    return change


def blind_to_padding(model: onnx.ModelProto) -> None:
    """The graph still takes `attention_mask` and attends to everything."""
    renamed_input("attention_mask", "all_ones")(model)
    next(each for each in model.graph.input if each.name == "all_ones").name = "attention_mask"
    one = helper.make_tensor("one", TensorProto.INT64, [1], [1])
    nodes = [
        helper.make_node("Shape", ["input_ids"], ["shape_of_ids"]),
        helper.make_node("ConstantOfShape", ["shape_of_ids"], ["all_ones"], value=one),
    ]
    _put_first(model, nodes)


def counts_columns(amount: float) -> Change:
    """The first output grows by `amount` with every column of the batch, padding included."""

    def change(model: onnx.ModelProto) -> None:
        output = model.graph.output[0].name
        rename(model, output, "uncounted")
        model.graph.initializer.append(numpy_helper.from_array(np.array(amount, dtype=np.float32), "amount"))
        model.graph.node.extend(
            [
                helper.make_node("Shape", ["input_ids"], ["columns_alone"], start=1, end=2),
                helper.make_node("Cast", ["columns_alone"], ["columns_float"], to=TensorProto.FLOAT),
                helper.make_node("Mul", ["columns_float", "amount"], ["growth"]),
                helper.make_node("Add", ["uncounted", "growth"], [output]),
            ]
        )

    return change


def one_text_at_a_time(model: onnx.ModelProto) -> None:
    """The graph lets any batch in and can compute one of a single text alone."""
    model.graph.node.append(helper.make_node("Shape", ["attention_mask"], ["rows_and_columns"]))
    model.graph.initializer.append(numpy_helper.from_array(np.array([1], dtype=np.int64), "one"))
    model.graph.initializer.append(numpy_helper.from_array(np.array([0], dtype=np.int64), "zero"))
    nodes = [
        helper.make_node("Slice", ["rows_and_columns", "zero", "one"], ["size_of_one"]),
        helper.make_node("ConstantOfShape", ["size_of_one"], ["zeros_of_one"]),
        helper.make_node("Reshape", ["zeros_of_one", "one"], ["nothing"]),
    ]
    _adds(model, nodes, "nothing")


def reads_the_last_column(model: onnx.ModelProto) -> None:
    """The first output grows by one where the last column of the batch is padding."""
    last = numpy_helper.from_array(np.array([-1], dtype=np.int64), "last_column")
    axis = numpy_helper.from_array(np.array([2], dtype=np.int64), "axis_of_last")
    model.graph.initializer.extend([last, axis])
    nodes = [
        helper.make_node("Gather", ["attention_mask", "last_column"], ["last_of_mask"], axis=1),
        helper.make_node("Cast", ["last_of_mask"], ["last_is_real"], to=TensorProto.FLOAT),
        helper.make_node("Neg", ["last_is_real"], ["last_is_padding"]),
        helper.make_node("Unsqueeze", ["last_is_padding", "axis_of_last"], ["by_padding"]),
    ]
    _adds(model, nodes, "by_padding")


def with_position_ids(model: onnx.ModelProto) -> None:
    """The graph asks for `position_ids` and adds them, a thousandth each, to its first output."""
    model.graph.input.append(helper.make_tensor_value_info("position_ids", TensorProto.INT64, ["batch", "tokens"]))
    output = model.graph.output[0].name
    rename(model, output, "unmoved")
    scale = numpy_helper.from_array(np.array(1e-3, dtype=np.float32), "a_thousandth")
    axis = numpy_helper.from_array(np.array([2], dtype=np.int64), "last_axis")
    model.graph.initializer.extend([scale, axis])
    model.graph.node.extend(
        [
            helper.make_node("Cast", ["position_ids"], ["positions"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["positions", "a_thousandth"], ["small_positions"]),
            helper.make_node("Unsqueeze", ["small_positions", "last_axis"], ["columns"]),
            helper.make_node("Add", ["unmoved", "columns"], [output]),
        ]
    )


def with_cache_output(model: onnx.ModelProto) -> None:
    """The graph also gives keys for the next step of a generator."""
    model.graph.output.append(helper.make_tensor_value_info("present.0.key", TensorProto.INT64, ["batch", "tokens"]))
    model.graph.node.append(helper.make_node("Identity", ["input_ids"], ["present.0.key"]))


def with_cache(dtype: int = TensorProto.FLOAT) -> Change:
    """The graph takes keys of earlier tokens, as those of generators do, and adds their sum to its first output."""

    def change(model: onnx.ModelProto) -> None:
        name, present = "past_key_values.0.key", "present.0.key"
        shape = ["batch", 2, "past", 24]
        model.graph.input.append(helper.make_tensor_value_info(name, dtype, shape))
        model.graph.output.append(helper.make_tensor_value_info(present, dtype, shape))
        wide = helper.make_node("Cast", [name], ["keys"], to=TensorProto.FLOAT)
        model.graph.node.append(helper.make_node("Identity", [name], [present]))
        _adds(model, [wide, helper.make_node("ReduceSum", ["keys"], ["sum_of_keys"], keepdims=0)], "sum_of_keys")

    return change


def with_constant(name: str, dtype: int = TensorProto.INT64, shape: Sequence[str | int] = ()) -> Change:
    """The graph takes an input of its own and adds its largest element to its first output."""

    def change(model: onnx.ModelProto) -> None:
        model.graph.input.append(helper.make_tensor_value_info(name, dtype, list(shape)))
        cast = helper.make_node("Cast", [name], [f"{name}_as_float"], to=TensorProto.FLOAT)
        _adds(
            model,
            [cast, helper.make_node("ReduceMax", [f"{name}_as_float"], [f"most_of_{name}"], keepdims=0)],
            f"most_of_{name}",
        )

    return change


def looks_up(name: str, rows: int) -> Change:
    """The graph takes a whole number and adds that row of a table of zeros to its first output."""

    def change(model: onnx.ModelProto) -> None:
        model.graph.input.append(helper.make_tensor_value_info(name, TensorProto.INT64, []))
        table = numpy_helper.from_array(np.zeros((rows, 1), dtype=np.float32), "table")
        model.graph.initializer.append(table)
        _adds(model, [helper.make_node("Gather", ["table", name], ["row_of_table"], axis=0)], "row_of_table")

    return change


def _adds(model: onnx.ModelProto, nodes: Sequence[onnx.NodeProto], amount: str) -> None:
    """Adds `amount`, which `nodes` compute, to the first output."""
    output = model.graph.output[0].name
    rename(model, output, f"before_{amount}")
    model.graph.node.extend([*nodes, helper.make_node("Add", [f"before_{amount}", amount], [output])])


def _behind_inputs(model: onnx.ModelProto, make: Callable[[str, str], onnx.NodeProto]) -> None:
    names = [each.name for each in model.graph.input]
    for node in model.graph.node:
        node.input[:] = [f"{name}_wide" if name in names else name for name in node.input]
    _put_first(model, [make(name, f"{name}_wide") for name in names])


def _put_first(model: onnx.ModelProto, nodes: Sequence[onnx.NodeProto]) -> None:
    rest = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*nodes, *rest])


def rename(model: onnx.ModelProto, old: str, new: str) -> None:
    """One tensor under another name, wherever it is made or used."""
    for node in model.graph.node:
        node.input[:] = [new if name == old else name for name in node.input]
        node.output[:] = [new if name == old else name for name in node.output]
