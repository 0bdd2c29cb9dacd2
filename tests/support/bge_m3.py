"""BGE-M3 folders of other forms, made from the two that there are."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from encoderfile.builder import torch_file
from support.kinds import KINDS

HEADS = ("sparse_linear", "colbert_linear")


def copied(folder: Path, name: str) -> Path:
    """A copy of one of the two folders, at `folder`, which must not exist."""
    shutil.copytree(KINDS[name], folder)
    return folder


def in_one_graph(folder: Path, size: int, *, every_row: bool = False) -> Path:
    """All three outputs in one graph, raw, with multivectors of `size` numbers.

    With `every_row` also the first token has one. The names are those of no public file.
    """
    copied(folder, "bge-m3-heads")
    sparse, colbert = (torch_file.read(folder / f"{head}.pt") for head in HEADS)
    for head in HEADS:
        (folder / f"{head}.pt").unlink()
    shutil.rmtree(folder / "1_Pooling")
    for name in ("modules.json", "sentence_bert_config.json", "config_sentence_transformers.json"):
        (folder / name).unlink()
    path = folder / "onnx" / "model.onnx"
    model = onnx.load(path)
    constants: dict[str, np.ndarray] = {
        "sparse_weight": sparse["weight"].T,
        "sparse_bias": sparse["bias"],
        "colbert_weight": colbert["weight"][:size].T,
        "colbert_bias": colbert["bias"][:size],
        "zero": np.array(0, dtype=np.int64),
        "starts": np.array([0 if every_row else 1], dtype=np.int64),
        "ends": np.array([1 << 30], dtype=np.int64),
        "axes": np.array([1], dtype=np.int64),
    }
    for name, value in constants.items():
        model.graph.initializer.append(numpy_helper.from_array(np.array(value, order="C"), name))
    model.graph.node.extend(
        [
            helper.make_node("Gather", ["token_embeddings", "zero"], ["a"], axis=1),
            helper.make_node("MatMul", ["token_embeddings", "sparse_weight"], ["sparse_product"]),
            helper.make_node("Add", ["sparse_product", "sparse_bias"], ["b"]),
            helper.make_node("Slice", ["token_embeddings", "starts", "ends", "axes"], ["rows"]),
            helper.make_node("MatMul", ["rows", "colbert_weight"], ["colbert_product"]),
            helper.make_node("Add", ["colbert_product", "colbert_bias"], ["c"]),
        ]
    )
    del model.graph.output[:]
    shapes = {"a": ["batch", 48], "b": ["batch", "tokens", 1], "c": ["batch", "rows", size]}
    model.graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()
    )
    onnx.save(model, path)
    return folder
