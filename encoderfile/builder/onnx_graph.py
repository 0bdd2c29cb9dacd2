"""Splits an ONNX model into a small graph and its large tensors, without reading the tensors.

Field numbers: onnx/onnx.proto.
"""

from __future__ import annotations

import mmap
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from encoderfile.builder import onnx_parts
from encoderfile.builder.onnx_file import (
    BYTES,
    VARINT,
    Field,
    OnnxFile,
    Tensor,
    external_tensor,
    message,
    number_field,
)
from encoderfile.container import PAGE, Slice
from encoderfile.errors import ModelError
from encoderfile.manifest import WEIGHTS

_MODEL_GRAPH, _GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_OUTPUT = 7, 1, 5, 12
_NODE_INPUT, _NODE_OUTPUT, _NODE_OP_TYPE, _NODE_ATTRIBUTE = 1, 2, 4, 5
_ATTRIBUTE_NAME, _ATTRIBUTE_INT, _ATTRIBUTE_TYPE, _INT = 1, 3, 20, 2
_ATTRIBUTE_TENSOR, _ATTRIBUTE_GRAPH, _ATTRIBUTE_TENSORS, _ATTRIBUTE_GRAPHS = 5, 6, 10, 11
_TENSOR_DATA_TYPE = 2
_DTYPES = {1: "float32", 2: "uint8", 3: "int8", 10: "float16", 11: "float64", 16: "bfloat16", 21: "uint4", 22: "int4"}
_TENSOR_DIMS, _TENSOR_NAME, _TENSOR_RAW, _TENSOR_EXTERNAL, _TENSOR_LOCATION = 1, 8, 9, 13, 14
_VALUE_NAME, _VALUE_TYPE, _TYPE_TENSOR, _TENSOR_ELEMENT, _FLOAT = 1, 2, 1, 1, 1
_TENSOR_SHAPE, _SHAPE_DIMENSION, _DIMENSION_VALUE, _DIMENSION_NAME = 2, 1, 1, 2


class Node(NamedTuple):
    """One operator: its type, the names it reads and writes, and its integer attributes (`axis`)."""

    op_type: str
    inputs: Sequence[str]
    outputs: Sequence[str]
    integers: Mapping[str, int]


class OnnxGraph:
    """An ONNX file opened for splitting.

    Raises `ModelError` when it is truncated, not ONNX, or its external data is missing.
    """

    def __init__(self, path: Path) -> None:
        self._file = OnnxFile(path)
        self.tensors: list[Tensor] = []
        self.op_types: set[str] = set()
        self._dropped: frozenset[int] = frozenset()
        self._added: list[bytes] = []
        graphs = list(self._graphs())
        for graph in graphs:
            for field in self._inside(graph):
                if field.number == _GRAPH_NODE:
                    self.op_types.add(self._op_type(field))
                    self._refuse_external_inside(field)
                elif field.number == _GRAPH_INITIALIZER and (tensor := self._tensor(field)) is not None:
                    self.tensors.append(tensor)
        if len(graphs) != 1:
            raise ModelError(f"{path.name} is not an ONNX model: export the model again")

    def _inside(self, field: Field) -> Iterator[Field]:
        return self._file.fields(field.start, field.end)

    def _graphs(self) -> Iterator[Field]:
        fields = self._file.fields(0, len(self._file.data))
        return (field for field in fields if field.number == _MODEL_GRAPH and field.wire == BYTES)

    def _parts(self, number: int) -> Iterator[Field]:
        return (field for graph in self._graphs() for field in self._inside(graph) if field.number == number)

    def _op_type(self, node: Field) -> str:
        return next((self._file.text(field) for field in self._inside(node) if field.number == _NODE_OP_TYPE), "")

    def _refuse_external_inside(self, node: Field) -> None:
        """Raises `ModelError` for a node that keeps a tensor of its own, or of a graph in it, in another file.

        Only the graph's own initializers are resolved here; onnxruntime would look for these relative to the
        working folder. Walks without recursion, because the file decides how deep it is nested.
        """
        nodes = [node]
        while nodes:
            attributes = [each for each in self._inside(nodes.pop()) if each.number == _NODE_ATTRIBUTE]
            values = [value for each in attributes for value in self._inside(each) if value.wire == BYTES]
            graphs = [value for value in values if value.number in (_ATTRIBUTE_GRAPH, _ATTRIBUTE_GRAPHS)]
            parts = [part for graph in graphs for part in self._inside(graph) if part.wire == BYTES]
            nodes += [part for part in parts if part.number == _GRAPH_NODE]
            tensors = [value for value in values if value.number in (_ATTRIBUTE_TENSOR, _ATTRIBUTE_TENSORS)]
            tensors += [part for part in parts if part.number == _GRAPH_INITIALIZER]
            if any(field.number == _TENSOR_EXTERNAL for tensor in tensors for field in self._inside(tensor)):
                raise ModelError(
                    f"{self._file.path.name} keeps a tensor inside of a node in another file: save it with "
                    "`onnx.save(..., save_as_external_data=True, convert_attribute=False)`"
                )

    def _tensor(self, initializer: Field) -> Tensor | None:
        """An initializer that is moved out of the graph; None for a small one, which stays."""
        name, raw, is_external, is_empty = "", None, False, False
        external: dict[str, str] = {}
        for field in self._inside(initializer):
            if field.number == _TENSOR_NAME:
                name = self._file.text(field)
            elif field.number == _TENSOR_RAW:
                raw = (field.start, field.end - field.start)
            elif field.number == _TENSOR_DIMS:
                # A varint has a zero byte only where it is 0 itself.
                is_empty = is_empty or b"\0" in self._file.data[field.start : field.end]
            elif field.number == _TENSOR_EXTERNAL:
                entry = {part.number: self._file.text(part) for part in self._inside(field)}
                external[entry.get(1, "")] = entry.get(2, "")
            elif field.number == _TENSOR_LOCATION and field.wire == VARINT:
                is_external = self._file.data[field.start] == 1
        if is_external:
            return external_tensor(self._file, name, external, is_empty=is_empty)
        if raw is not None and raw[1] >= PAGE:
            return Tensor(name, self._file.path, *raw)
        return None

    def nodes(self) -> Iterator[Node]:
        """The operators of the graph in their order, without those of its subgraphs."""
        for node in self._parts(_GRAPH_NODE):
            names: dict[int, list[str]] = {_NODE_INPUT: [], _NODE_OUTPUT: [], _NODE_OP_TYPE: []}
            integers: dict[str, int] = {}
            for field in self._inside(node):
                if field.number in names:
                    names[field.number].append(self._file.text(field))
                elif field.number == _NODE_ATTRIBUTE:
                    integers |= self._integer(field)
            yield Node((names[_NODE_OP_TYPE] or [""])[-1], names[_NODE_INPUT], names[_NODE_OUTPUT], integers)

    def _integer(self, attribute: Field) -> dict[str, int]:
        """An attribute that is one integer, by its name; nothing for any other."""
        name, value = "", None
        for field in self._inside(attribute):
            if field.number == _ATTRIBUTE_NAME:
                name = self._file.text(field)
            elif field.number == _ATTRIBUTE_INT and field.wire == VARINT:
                value = self._file.varint(field.start, field.end)[0]
        return {} if value is None else {name: value}

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each initializer, by its name."""
        shapes = {}
        for initializer in self._parts(_GRAPH_INITIALIZER):
            name, shape = "", list[int]()
            for field in self._inside(initializer):
                if field.number == _TENSOR_NAME:
                    name = self._file.text(field)
                elif field.number == _TENSOR_DIMS:
                    position = field.start
                    while position < field.end:  # several where they are packed
                        size, position = self._file.varint(position, field.end)
                        shape.append(size)
            shapes[name] = tuple(shape)
        return shapes

    def weights_dtype(self) -> str:
        """What most bytes of the large tensors are, by numpy's names; empty where that is no type of weights."""
        sizes: Counter[int] = Counter()
        for initializer in self._parts(_GRAPH_INITIALIZER):
            tensor = self._tensor(initializer)
            if tensor is not None:
                types = (field for field in self._inside(initializer) if field.number == _TENSOR_DATA_TYPE)
                sizes[next((self._file.varint(each.start, each.end)[0] for each in types), 0)] += tensor.length
        most = sizes.most_common(1)
        return _DTYPES.get(most[0][0], "") if most else ""

    def graph_bytes(self, place: Callable[[Tensor], tuple[str, int]]) -> bytes:
        """The model with its large tensors replaced by external references.

        `place` gives, for each tensor, the file name to write as location and the offset in it.
        """
        placed = {tensor.name: (tensor, *place(tensor)) for tensor in self.tensors}
        out: list[bytes] = []
        for field in self._file.fields(0, len(self._file.data)):
            if field.number == _MODEL_GRAPH and field.wire == BYTES:
                kept = (part for part in self._inside(field) if part.number not in self._dropped)
                parts = [self._with_references(part, placed) for part in kept]
                out.append(message(_MODEL_GRAPH, b"".join([*parts, *self._added])))
            else:
                out.append(self._file.data[field.first : field.end])
        return b"".join(out)

    def _with_references(self, part: Field, placed: Mapping[str, tuple[Tensor, str, int]]) -> bytes:
        """A field of the graph as it ships: a large tensor refers to the file it is placed in."""
        tensor = self._tensor(part) if part.number == _GRAPH_INITIALIZER else None
        if tensor is None:
            return self._file.data[part.first : part.end]
        kept = b"".join(
            self._file.data[field.first : field.end]
            for field in self._inside(part)
            if field.number not in (_TENSOR_RAW, _TENSOR_EXTERNAL, _TENSOR_LOCATION)
        )
        _, location, offset = placed[tensor.name]
        entries = {"location": location, "offset": str(offset), "length": str(tensor.length)}
        references = b"".join(
            message(_TENSOR_EXTERNAL, message(1, name.encode()) + message(2, text.encode()))
            for name, text in entries.items()
        )
        return message(_GRAPH_INITIALIZER, kept + references + number_field(_TENSOR_LOCATION, 1))

    def add_float32_output(self, output: str, shape: Sequence[int | None]) -> str:
        """Adds an output that is `output` cast to float32, of that shape, and returns its name.

        For a type that numpy does not have (bfloat16): onnxruntime cannot pass it to Python, so the graph itself
        converts it, exactly.
        """
        cast = f"{output}_as_float32"
        self.add(onnx_parts.node("Cast", [output], cast, to=onnx_parts.FLOAT), onnx_parts.float32_output(cast, shape))
        return cast

    def add(self, *parts: bytes) -> None:
        """Adds nodes, initializers and outputs (`onnx_parts`) behind those that there are."""
        self._added += parts

    def drop_outputs(self) -> None:
        """Leaves out the outputs that the graph has: onnxruntime then computes only what those added need."""
        self._dropped = frozenset({_GRAPH_OUTPUT})

    def layout(self) -> tuple[bytes, list[Slice], int]:
        """The graph as it ships, the slices of its weights artifact, and that artifact's length in bytes.

        Every tensor begins on a page, because onnxruntime copies what is not aligned.
        """
        slices: list[Slice] = []
        offsets: dict[str, int] = {}
        position = 0
        for tensor in self.tensors:
            offsets[tensor.name] = position
            slices.append(Slice(tensor.source, tensor.offset, tensor.length, position))
            position += -(-tensor.length // PAGE) * PAGE
        return self.graph_bytes(lambda tensor: (WEIGHTS, offsets[tensor.name])), slices, position

    def in_place(self) -> tuple[bytes, dict[str, mmap.mmap]]:
        """The graph with references into the files as they lie on disk, and those files mapped by their names.

        For the check: the model is loaded as the runtime loads it, and nothing is written.
        """
        sources = {tensor.source: f"source-{index}" for index, tensor in enumerate(self.tensors)}
        mapped = {}
        for source, name in sources.items():
            with source.open("rb") as file:
                mapped[name] = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return self.graph_bytes(lambda tensor: (sources[tensor.source], tensor.offset)), mapped
