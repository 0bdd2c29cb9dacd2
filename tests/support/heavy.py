"""A model of more than 2 GB, made in a second without a download: its weights are holes in sparse files.

Each layer adds to its input what two matrices make of it. The matrices are zeros but for a few numbers, so the
right answer is known; onnxruntime treats them as any weights, packs them and multiplies with all of them.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from support.models import MODELS

HIDDEN, INNER, LAYERS = 4096, 16384, 4
MATRIX = HIDDEN * INNER * 4
"""Bytes of one matrix."""
WEIGHTS = 2 * LAYERS * MATRIX
"""Bytes of all matrices: 2 GiB, the size at which protobuf and 32-bit numbers end."""
FILES = ("model.onnx_data", "more/outer.bin")
"""Where the inner and the outer matrices lie."""
SCALES = [(0.5 + 0.1 * layer, 0.45 + 0.1 * layer) for layer in range(LAYERS)]
"""The number in each matrix; all differ, because onnxruntime packs equal matrices only once."""


def write(folder: Path) -> Path:
    """Writes an export with the words of `tests/models/bert-embed`; `expected` gives its answers."""
    folder.mkdir(parents=True)
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        shutil.copy(MODELS / "bert-embed" / name, folder / name)
    config = {"architectures": ["BertModel"], "model_type": "bert", "vocab_size": 1200, "max_position_embeddings": 16}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.onnx").write_bytes(_graph().SerializeToString())
    for which, file in enumerate(FILES):
        (folder / file).parent.mkdir(exist_ok=True)
        with (folder / file).open("wb") as out:
            out.truncate(LAYERS * MATRIX)
            for layer in range(LAYERS):
                # The number at row 0, column 0: each layer multiplies the first dimension by 1 + inner * outer.
                out.seek(layer * MATRIX)
                out.write(np.float32(SCALES[layer][which]).tobytes())
    return folder


def words() -> np.ndarray:
    """The table of word vectors, float32 [words, hidden]."""
    return np.random.default_rng(5).standard_normal((1200, HIDDEN)).astype(np.float32)


def expected(input_ids: np.ndarray) -> np.ndarray:
    """What the model answers: float32 [tokens, hidden]."""
    answer = words()[input_ids]
    answer[:, 0] *= np.prod([1 + inner * outer for inner, outer in SCALES])
    return answer


def _graph() -> onnx.ModelProto:
    nodes = [helper.make_node("Gather", ["words", "input_ids"], ["layer_0"])]
    matrices = []
    for layer in range(LAYERS):
        matrices += [_matrix("inner", layer, FILES[0]), _matrix("outer", layer, FILES[1])]
        nodes += [
            helper.make_node("MatMul", [f"layer_{layer}", f"inner_{layer}"], [f"wide_{layer}"]),
            helper.make_node("MatMul", [f"wide_{layer}", f"outer_{layer}"], [f"added_{layer}"]),
            helper.make_node("Add", [f"layer_{layer}", f"added_{layer}"], [f"layer_{layer + 1}"]),
        ]
    nodes.append(helper.make_node("Identity", [f"layer_{LAYERS}"], ["last_hidden_state"]))
    shape = ["batch", "tokens"]
    graph = helper.make_graph(
        nodes,
        "heavy",
        [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name in ("input_ids", "attention_mask")],
        [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, [*shape, HIDDEN])],
        [numpy_helper.from_array(words(), "words"), *matrices],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def _matrix(name: str, layer: int, file: str) -> onnx.TensorProto:
    size = (HIDDEN, INNER) if name == "inner" else (INNER, HIDDEN)
    tensor = TensorProto(name=f"{name}_{layer}", data_type=TensorProto.FLOAT, dims=size)
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", file), ("offset", str(layer * MATRIX)), ("length", str(MATRIX))):
        tensor.external_data.add(key=key, value=value)
    return tensor
