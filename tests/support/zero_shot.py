"""GLiClass folders of other forms, made from the one there is, and their right answers."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer

from support.graphs import edit_json
from support.kinds import KINDS

MARKER = 1001
_ENCODED = "/x/model/encoder_model/encoder/layer.1/output/LayerNorm/LayerNormalization_output_0"

Change = Callable[[onnx.ModelProto], object]


def gliclass(folder: Path, *changes: Change, **config: object) -> Path:
    """A copy of the GLiClass folder with a changed graph and config.json."""
    shutil.copytree(KINDS["gliclass"], folder)
    edit_json(folder, "config.json", **config)
    path = folder / "onnx" / "model.onnx"
    model = onnx.load(path)
    for change in changes:
        change(model)
    onnx.save(model, path)
    return folder


def _constant(model: onnx.ModelProto, name: str, value: object, dtype: type = np.int64) -> str:
    model.graph.initializer.append(numpy_helper.from_array(np.array(value, dtype=dtype), name))
    return name


def _node(model: onnx.ModelProto, output: str) -> onnx.NodeProto:
    return next(node for node in model.graph.node if output in node.output)


def _insert(model: onnx.ModelProto, before: onnx.NodeProto, *nodes: onnx.NodeProto) -> None:
    place = list(model.graph.node).index(before)
    for node in reversed(nodes):
        model.graph.node.insert(place, node)


def columns(count: int) -> Change:
    """The graph always gives as many logits, as tracing it with today's package does."""

    def change(model: onnx.ModelProto) -> None:
        _constant(model, "columns", count, np.int32)
        node = _node(model, "/x/model/Cast_2_output_0")
        node.input[0] = "columns"

    return change


def without_class_token(model: onnx.ModelProto) -> None:
    """`embed_class_token: false`: a label's vector is the one behind its marker."""
    select = _node(model, "/x/model/And_output_0")
    select.output[0] = "at_marker"
    cast = _node(model, "/x/model/Cast_3_output_0")
    cast.input[0] = "at_marker"
    cast.output[0] = "at_marker_float"
    einsum = _node(model, "/x/model/Einsum_output_0")
    pads, ends = _constant(model, "pads", [0, 0, 1, 0, 0, 0]), _constant(model, "ends", [-1])
    starts, axes = _constant(model, "starts", [0]), _constant(model, "axes", [2])
    _insert(
        model,
        einsum,
        helper.make_node("Pad", ["at_marker_float", pads], ["padded"]),
        helper.make_node("Slice", ["padded", starts, ends, axes], ["/x/model/Cast_3_output_0"]),
    )


def averaged(model: onnx.ModelProto) -> None:
    """`class_token_pooling: average`: the mean of a label's vectors from its marker to the next, padding left out."""
    equal = _node(model, "/x/model/Equal_1_output_0")
    cast = _node(model, "/x/model/Cast_3_output_0")
    einsum = _node(model, "/x/model/Einsum_output_0")
    einsum.output[0] = "summed"
    one, axis, last = _constant(model, "one_axis", [1]), _constant(model, "one", 1.0, np.float32), [2]
    _constant(model, "last_axis", last)
    _insert(
        model,
        cast,
        helper.make_node("Cast", ["attention_mask"], ["real"], to=TensorProto.BOOL),
        helper.make_node("Unsqueeze", ["real", one], ["real_row"]),
        helper.make_node("And", [equal.output[0], "real_row"], ["span"]),
    )
    cast.input[0] = "span"
    projector = _node(model, "/x/model/classes_projector/linear_1/MatMul_output_0")
    _insert(
        model,
        projector,
        helper.make_node("ReduceSum", ["/x/model/Cast_3_output_0", "last_axis"], ["counts"], keepdims=1),
        helper.make_node("Max", ["counts", axis], ["at_least_one"]),
        helper.make_node("Div", ["summed", "at_least_one"], ["/x/model/Einsum_output_0"]),
    )


def pooled_by_mean(model: onnx.ModelProto) -> None:
    """`pooling_strategy: avg`: the mean over all of the row, padding too."""
    gather = _node(model, "/x/model/pooler/Gather_output_0")
    _insert(model, gather, helper.make_node("ReduceMean", [_ENCODED], list(gather.output), axes=[1], keepdims=0))
    model.graph.node.remove(gather)


class Reference:
    """The package's way from texts to logits, on a graph that always has enough columns."""

    def __init__(self, folder: Path, *changes: Change, prompt_first: bool, max_length: int) -> None:
        model = onnx.load(folder / "onnx" / "model.onnx")
        for change in changes:
            change(model)
        self._session = ort.InferenceSession(model.SerializeToString())
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_length)
        self._prompt_first = prompt_first

    def logits(self, text: str, labels: Sequence[str], prompt: str = "") -> np.ndarray:
        """float32 [labels]."""
        said = "".join(f"<<LABEL>>{label}" for label in labels) + "<<SEP>>" + prompt
        ids = self._tokenizer.encode(said + text if self._prompt_first else text + said).ids
        feeds = {"input_ids": np.array([ids]), "attention_mask": np.ones((1, len(ids)), dtype=np.int64)}
        (found,) = self._session.run(["logits"], feeds)
        return np.asarray(found[0, : len(labels)])
