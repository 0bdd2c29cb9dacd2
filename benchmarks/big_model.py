"""Makes a folder with an encoder of BERT-base's shape and random weights: 435 MB without a download.

    python benchmarks/big_model.py TOKENIZER_FOLDER TARGET [--layers 12]

The tokenizer and the vocabulary come from TOKENIZER_FOLDER, any export with a WordPiece tokenizer.json.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HIDDEN, HEADS, INNER, POSITIONS, VOCABULARY = 768, 12, 3072, 512, 30522


class Graph:
    """Nodes and weights of a post-norm transformer encoder."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self._rng = np.random.default_rng(0)

    def weight(self, name: str, *shape: int, scale: float = 0.02) -> str:
        """A random float32 tensor."""
        values = self._rng.standard_normal(shape, dtype=np.float32) * np.float32(scale)
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def constant(self, name: str, values: object, dtype: type) -> str:
        """A small tensor."""
        self.weights.append(numpy_helper.from_array(np.asarray(values, dtype=dtype), name))
        return name

    def node(self, kind: str, *inputs: str, **attributes: object) -> str:
        """One operator; returns its output's name."""
        output = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def linear(self, value: str, name: str, rows: int, columns: int) -> str:
        """value x weight + bias."""
        product = self.node("MatMul", value, self.weight(f"{name}.weight", rows, columns))
        return self.node("Add", product, self.weight(f"{name}.bias", columns))

    def norm(self, value: str, name: str) -> str:
        """Layer normalisation."""
        scale = self.constant(f"{name}.scale", np.ones(HIDDEN), np.float32)
        return self.node("LayerNormalization", value, scale, self.weight(f"{name}.shift", HIDDEN), axis=-1)

    def heads(self, value: str, order: list[int]) -> str:
        """[batch, tokens, hidden] to heads, in `order`."""
        split = self.node("Reshape", value, "split")
        return self.node("Transpose", split, perm=order)

    def layer(self, value: str, mask: str, name: str) -> str:
        """Attention and feed-forward, each with its residual."""
        query, key, inner = (self.linear(value, f"{name}.{part}", HIDDEN, HIDDEN) for part in "qkv")
        scores = self.node("MatMul", self.heads(query, [0, 2, 1, 3]), self.heads(key, [0, 2, 3, 1]))
        scores = self.node("Add", self.node("Mul", scores, "scale"), mask)
        mixed = self.node("MatMul", self.node("Softmax", scores, axis=-1), self.heads(inner, [0, 2, 1, 3]))
        mixed = self.node("Reshape", self.node("Transpose", mixed, perm=[0, 2, 1, 3]), "join")
        value = self.norm(self.node("Add", value, self.linear(mixed, f"{name}.o", HIDDEN, HIDDEN)), f"{name}.n1")
        wide = self.linear(value, f"{name}.up", HIDDEN, INNER)
        erf = self.node("Add", self.node("Erf", self.node("Mul", wide, "half_root")), "one")
        wide = self.node("Mul", self.node("Mul", wide, "half"), erf)
        return self.norm(self.node("Add", value, self.linear(wide, f"{name}.down", INNER, HIDDEN)), f"{name}.n2")


def build(layers: int) -> onnx.ModelProto:
    """The whole model: input_ids, attention_mask -> last_hidden_state."""
    graph = Graph()
    graph.constant("split", [0, 0, HEADS, HIDDEN // HEADS], np.int64)
    graph.constant("join", [0, 0, HIDDEN], np.int64)
    for name, number in (("scale", (HIDDEN / HEADS) ** -0.5), ("half_root", 0.5**0.5), ("one", 1.0), ("half", 0.5)):
        graph.constant(name, number, np.float32)
    graph.constant("low", -10000.0, np.float32)
    graph.constant("axes", [1, 2], np.int64)
    words = graph.node("Gather", graph.weight("words", VOCABULARY, HIDDEN), "input_ids")
    counted = graph.node("CumSum", "attention_mask", graph.constant("axis", 1, np.int64), exclusive=1)
    value = graph.norm(
        graph.node("Add", words, graph.node("Gather", graph.weight("positions", POSITIONS, HIDDEN), counted)), "n0"
    )
    hidden = graph.node("Sub", "one", graph.node("Cast", "attention_mask", to=TensorProto.FLOAT))
    mask = graph.node("Unsqueeze", graph.node("Mul", hidden, "low"), "axes")
    for number in range(layers):
        value = graph.layer(value, mask, f"layer{number}")
    graph.nodes.append(helper.make_node("Identity", [value], ["last_hidden_state"]))
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
        for name in ("input_ids", "attention_mask")
    ]
    output = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", "tokens", HIDDEN])
    body = helper.make_graph(graph.nodes, "encoder", inputs, [output], graph.weights)
    return helper.make_model(body, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def main() -> None:
    """Writes the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tokenizer", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--layers", type=int, default=12)
    options = parser.parse_args()
    options.target.mkdir(parents=True, exist_ok=True)
    shutil.copy(options.tokenizer / "tokenizer.json", options.target)
    config = {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "max_position_embeddings": POSITIONS,
        "vocab_size": VOCABULARY,
        "pad_token_id": 0,
    }
    (options.target / "config.json").write_text(json.dumps(config))
    onnx.save(build(options.layers), options.target / "model.onnx")


if __name__ == "__main__":
    main()
