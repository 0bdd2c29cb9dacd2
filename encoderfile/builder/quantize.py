"""`--quantize`: a graph's large matrices as 8-bit integers, and the activations between them too, token by token.

Weights: one scale per column (per row, for tables of word embeddings). Activations are rounded to 8 bits when the
graph runs, with a scale and a minimum for every single token, so that no answer depends on the other texts in its
batch; the usual dynamic quantisation takes one scale for a whole batch, and answers move with it.

With x = q * s + m for a token (q in 0..255), W = w * c for a column, x @ W = (q @ w) * s * c + m * (sum of w) * c.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from encoderfile.builder.install_command import extra_command
from encoderfile.errors import ConfigError, ModelError

if TYPE_CHECKING:
    import onnx

Floats = npt.NDArray[np.float32]

SMALLEST = 4096
"""Elements of a matrix below which rounding it saves nothing."""
LARGE = 1 << 30
"""Bytes beyond which the weights are written to a file of their own; protobuf's limit is twice as much."""


def write_quantized(source: Path, target: Path) -> None:
    """Writes the graph `source` to `target` in int8, and very large weights beside it.

    Raises `ConfigError` without the onnx package, `ModelError` when the graph has nothing to quantise.
    """
    try:
        import onnx
    except ImportError:
        raise ConfigError(
            f"--quantize needs the onnx package: install it with `{extra_command('quantize')}`"
        ) from None
    model = onnx.load(source)
    opset = next(each.version for each in model.opset_import if each.domain in ("", "ai.onnx"))
    if not _Quantizer(model.graph, opset).run():
        raise ModelError(
            f"{source.name} has no large float32 matrix to quantise, it is in another precision already: "
            "leave out --quantize"
        )
    size = sum(len(tensor.raw_data) for tensor in model.graph.initializer)
    onnx.save(model, target, save_as_external_data=size > LARGE)


def weight_levels() -> int:
    """The largest value of a rounded weight.

    x86-64 processors without VNNI add products of 8-bit numbers in 16 bits, which overflow: 7 bits are right on
    all of them, and a file should give the same answers wherever it runs. ARM has no such limit.
    """
    return 63 if platform.machine() in ("x86_64", "AMD64") else 127


class _Quantizer:
    """Rewrites one graph in place."""

    def __init__(self, graph: onnx.GraphProto, opset: int) -> None:
        self._graph = graph
        self._opset = opset
        self._weights = {tensor.name: tensor for tensor in graph.initializer}
        self._nodes: list[onnx.NodeProto] = []
        self._rounded: dict[str, tuple[str, str, str]] = {}
        """By tensor: its 8-bit form, its scales and its minima, one per token."""
        self._packed: dict[str, tuple[str, ...]] = {}
        """By matrix: its integers, scales and sums, made once where layers share weights."""

    def run(self) -> bool:
        """Whether anything changed."""
        for node in self._graph.node:
            if node.op_type == "MatMul" and self._is_large(node.input[1]) and node.input[0] not in self._weights:
                self._multiply(node)
            elif node.op_type == "Gather" and self._is_large(node.input[0]) and _axis(node) == 0:
                self._look_up(node)
            else:
                self._nodes.append(node)
        if not self._packed:
            return False
        del self._graph.node[:]
        self._graph.node.extend(self._nodes)
        used = set(_names(self._graph))
        kept = [tensor for tensor in self._graph.initializer if tensor.name in used]
        del self._graph.initializer[:]
        self._graph.initializer.extend(kept)
        return True

    def _is_large(self, name: str) -> bool:
        tensor = self._weights.get(name)
        if tensor is None or tensor.data_type != 1 or len(tensor.dims) != 2:
            return False
        return int(np.prod(tensor.dims)) >= SMALLEST

    def _multiply(self, node: onnx.NodeProto) -> None:
        rounded, scale, least = self._round(node.input[0])
        integers, scales, sums = self._pack(node.input[1], axis=0, with_sums=True)
        product = self._add("MatMulInteger", rounded, integers)
        scaled = self._add("Mul", self._add("Mul", self._add("Cast", product, to=1), scale), scales)
        self._add("Add", scaled, self._add("Mul", least, sums), output=node.output[0])

    def _look_up(self, node: onnx.NodeProto) -> None:
        integers, scales = self._pack(node.input[0], axis=1, with_sums=False)
        rows = self._add("Cast", self._add("Gather", integers, node.input[1]), to=1)
        self._add("Mul", rows, self._add("Gather", scales, node.input[1]), output=node.output[0])

    def _round(self, name: str) -> tuple[str, str, str]:
        """The tensor in 8 bits; shared by the matrices that it is multiplied with (queries, keys and values)."""
        if name not in self._rounded:
            tiny = self._constant("int8_tiny", np.float32(1e-12))
            levels = self._constant("int8_levels", np.float32(255.0))
            least = self._reduce("ReduceMin", name)
            spread = self._add("Sub", self._reduce("ReduceMax", name), least)
            scale = self._add("Max", self._add("Div", spread, levels), tiny)
            whole = self._add("Round", self._add("Div", self._add("Sub", name, least), scale))
            self._rounded[name] = (self._add("Cast", whole, to=2), scale, least)
        return self._rounded[name]

    def _reduce(self, kind: str, name: str) -> str:
        if self._opset < 18:
            return self._add(kind, name, axes=[-1], keepdims=1)
        return self._add(kind, name, self._constant("int8_last_axis", np.array([-1], dtype=np.int64)), keepdims=1)

    def _pack(self, name: str, *, axis: int, with_sums: bool) -> tuple[str, ...]:
        """Integers and scales of a matrix, one scale for all values along `axis`; and the sums along it, scaled."""
        if name not in self._packed:
            from onnx import numpy_helper

            weights = numpy_helper.to_array(self._weights[name]).astype(np.float32)
            top = weight_levels() if with_sums else 127
            scales: Floats = np.maximum(np.abs(weights).max(axis=axis, keepdims=True) / top, 1e-12).astype(np.float32)
            integers = np.clip(np.rint(weights / scales), -top, top).astype(np.int8)
            sums = integers.sum(axis=axis, keepdims=True, dtype=np.int64) * scales.astype(np.float64)
            parts = [(f"{name}_int8", integers), (f"{name}_scales", scales[0] if axis == 0 else scales)]
            if with_sums:
                parts.append((f"{name}_sums", sums[0].astype(np.float32)))
            for part, values in parts:
                self._graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(values), part))
            self._packed[name] = tuple(part for part, _ in parts)
        return self._packed[name]

    def _constant(self, name: str, value: Any) -> str:
        from onnx import numpy_helper

        if name not in self._weights:
            tensor = numpy_helper.from_array(np.asarray(value), name)
            self._graph.initializer.append(tensor)
            self._weights[name] = tensor
        return name

    def _add(self, kind: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        from onnx import helper

        output = output or f"int8_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output


def _axis(node: onnx.NodeProto) -> int:
    return next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 0)


def _names(graph: onnx.GraphProto) -> Iterator[str]:
    """Every tensor that a graph, or a branch or loop in it, reads or gives."""
    for node in graph.node:
        yield from node.input
        for attribute in node.attribute:
            yield from _names(attribute.g)
            for branch in attribute.graphs:
                yield from _names(branch)
    for output in graph.output:
        yield output.name
