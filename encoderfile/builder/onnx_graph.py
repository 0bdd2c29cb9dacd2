"""Splits an ONNX model into a small graph and its large tensors, without reading the tensors.

The protobuf wire format is walked over a mapping of the file, because a parsed message would hold the
weights in memory two or three times and stops at 2 GiB. Field numbers: onnx/onnx.proto.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from encoderfile.builder import safe_read
from encoderfile.builder.cast_output import cast_to_float32
from encoderfile.builder.protobuf import BYTES, FIXED32, FIXED64, VARINT, message, number_field
from encoderfile.container import PAGE, Slice
from encoderfile.errors import ModelError
from encoderfile.manifest import WEIGHTS

_MODEL_GRAPH = 7
_GRAPH_NODE, _GRAPH_INITIALIZER = 1, 5
_NODE_INPUT, _NODE_OUTPUT, _NODE_OP_TYPE, _NODE_ATTRIBUTE = 1, 2, 4, 5
_ATTRIBUTE_TENSOR, _ATTRIBUTE_GRAPH, _ATTRIBUTE_TENSORS, _ATTRIBUTE_GRAPHS = 5, 6, 10, 11
_TENSOR_DIMS, _TENSOR_NAME, _TENSOR_RAW, _TENSOR_EXTERNAL, _TENSOR_LOCATION = 1, 8, 9, 13, 14
_LFS = b"version https://git-lfs"

Field = tuple[int, int, int, int, int]
"""number, wire type, first byte of the field, first and last byte of its value."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """One large tensor: its name in the graph and where its raw little-endian bytes lie on disk."""

    name: str
    source: Path
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Node:
    """One operator: its kind, the names it reads and writes, and its whole numbers (`axis`)."""

    op_type: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    numbers: Mapping[str, int]


class OnnxGraph:
    """An ONNX file opened for splitting. Raises `ModelError` when it is cut, no ONNX, or lacks its data."""

    def __init__(self, path: Path) -> None:
        self.path = path
        folder = path.parent.resolve()
        self._folder = folder.parent if folder.name == "onnx" else folder  # as hubs lay it out
        try:
            with safe_read.opened(path) as file:
                self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:
            raise ModelError(f"{path.name} is empty: export the model again") from None
        except OSError as error:
            raise ModelError(f"cannot read {path}: {error.strerror}") from error
        if self._data[:40].startswith(_LFS):
            raise _pointer(path.name)
        self.tensors: list[Tensor] = []
        self.op_types: set[str] = set()
        self._added: list[bytes] = []
        self._scan()

    def _scan(self) -> None:
        graphs = 0
        for number, wire, _, start, end in self._fields(0, len(self._data)):
            if number == _MODEL_GRAPH and wire == BYTES:
                graphs += 1
                for field in self._fields(start, end):
                    if field[0] == _GRAPH_NODE:
                        self.op_types.add(self._op_type(field[3], field[4]))
                        self._refuse_external_inside(field[3], field[4])
                    elif field[0] == _GRAPH_INITIALIZER:
                        tensor = self._tensor(field[3], field[4])
                        if tensor is not None:
                            self.tensors.append(tensor)
        if graphs != 1:
            raise ModelError(f"{self.path.name} is not an ONNX model: export the model again")

    def _fields(self, start: int, end: int) -> Iterator[Field]:
        position = start
        while position < end:
            first = position
            tag, position = self._varint(position, end)
            number, wire = tag >> 3, tag & 7
            if wire == VARINT:
                value = position
                _, position = self._varint(position, end)
            elif wire == BYTES:
                length, value = self._varint(position, end)
                position = value + length
            elif wire in (FIXED64, FIXED32):
                value = position
                position += 8 if wire == FIXED64 else 4
            else:
                raise self._broken()
            if position > end or number == 0:
                raise self._broken()
            yield number, wire, first, value, position

    def _varint(self, position: int, end: int) -> tuple[int, int]:
        result = shift = 0
        while position < end and shift < 70:
            byte = self._data[position]
            position += 1
            result |= (byte & 0x7F) << shift
            if byte < 0x80:
                return result, position
            shift += 7
        raise self._broken()

    def _broken(self) -> ModelError:
        return ModelError(
            f"{self.path.name} is not a whole ONNX model ({len(self._data)} bytes, cut or damaged): "
            "copy it or export it again"
        )

    def _text(self, start: int, end: int) -> str:
        try:
            return self._data[start:end].decode()
        except UnicodeDecodeError:
            raise self._broken() from None

    def _op_type(self, start: int, end: int) -> str:
        for number, _, _, first, last in self._fields(start, end):
            if number == _NODE_OP_TYPE:
                return self._text(first, last)
        return ""

    def _refuse_external_inside(self, start: int, end: int) -> None:
        """Raises `ModelError` for a node that keeps a tensor of its own, or of a graph in it, in another file.

        Only the graph's own initializers are looked up in files; onnxruntime would look for these where it happens
        to run. Walks without recursion, because the nesting is the file's to choose.
        """
        nodes = [(start, end)]
        while nodes:
            tensors, graphs = [], []
            for number, _, _, first, last in self._fields(*nodes.pop()):
                if number == _NODE_ATTRIBUTE:
                    for inner, wire, _, *place in self._fields(first, last):
                        if wire == BYTES and inner in (_ATTRIBUTE_TENSOR, _ATTRIBUTE_TENSORS):
                            tensors.append(place)
                        elif wire == BYTES and inner in (_ATTRIBUTE_GRAPH, _ATTRIBUTE_GRAPHS):
                            graphs.append(place)
            for graph in graphs:
                for number, wire, _, *place in self._fields(*graph):
                    if wire == BYTES and number == _GRAPH_NODE:
                        nodes.append((place[0], place[1]))
                    elif wire == BYTES and number == _GRAPH_INITIALIZER:
                        tensors.append(place)
            for tensor in tensors:
                if any(number == _TENSOR_EXTERNAL for number, *_ in self._fields(*tensor)):
                    raise ModelError(
                        f"{self.path.name} keeps a tensor inside of a node in another file: save it with "
                        "`onnx.save(..., save_as_external_data=True, convert_attribute=False)`"
                    )

    def _tensor(self, start: int, end: int) -> Tensor | None:
        name, raw, external, is_external, is_empty = "", None, {}, False, False
        for number, wire, _, first, last in self._fields(start, end):
            if number == _TENSOR_NAME:
                name = self._text(first, last)
            elif number == _TENSOR_RAW:
                raw = (first, last - first)
            elif (
                number == _TENSOR_DIMS and b"\0" in self._data[first:last]
            ):  # a varint holds no zero byte but 0 itself
                is_empty = True
            elif number == _TENSOR_EXTERNAL:
                key, value = self._entry(first, last)
                external[key] = value
            elif number == _TENSOR_LOCATION and wire == VARINT:
                is_external = self._data[first] == 1
        if is_external:
            return self._external(name, external, is_empty)
        if raw is not None and raw[1] >= PAGE:
            return Tensor(name, self.path, *raw)
        return None

    def _entry(self, start: int, end: int) -> tuple[str, str]:
        values = {number: self._text(first, last) for number, _, _, first, last in self._fields(start, end)}
        return values.get(1, ""), values.get(2, "")

    def _external(self, name: str, entries: dict[str, str], is_empty: bool) -> Tensor:
        location = entries.get("location", "")
        folder = self.path.parent
        unprintable = not location.isprintable()  # no exporter's choice, and a zero byte is no name at all
        if not location or unprintable or Path(location).is_absolute() or ".." in Path(location).parts:
            raise ModelError(
                f"{self.path.name} keeps the tensor {name} in {location!r}, outside the model's folder: "
                "export the model again with its data beside it"
            )
        try:
            source = safe_read.inside(folder / location, self._folder)
            size = source.stat().st_size if source.is_file() else None
        except OSError as error:
            raise ModelError(f"cannot read {folder / location}: {error.strerror}") from error
        if size is None:
            raise ModelError(
                f"{self.path.name} keeps its weights in {location}, which is missing: "
                f"copy {location} into the folder beside {self.path.name}"
            )
        try:
            offset = int(entries.get("offset", "") or 0)
            # As onnx reads it (external_data_helper.py): no length, or 0, is the rest of the file.
            length = int(entries.get("length", "") or 0) or (0 if is_empty else size - offset)
        except ValueError:
            raise self._broken() from None
        if offset < 0 or length < 0 or offset + length > size:
            with source.open("rb") as file:
                if file.read(40).startswith(_LFS):
                    raise _pointer(location)
            raise ModelError(
                f"{location} has {size} bytes and {self.path.name} needs {offset + length}: "
                "the file is cut, copy it or export the model again"
            )
        return Tensor(name, source, offset, length)

    def nodes(self) -> Iterator[Node]:
        """The operators of the graph in their order, without those of its subgraphs."""
        for start, end in self._parts(_GRAPH_NODE):
            inputs, outputs, kind = [], [], ""
            numbers: dict[str, int] = {}
            for number, _, _, first, last in self._fields(start, end):
                if number == _NODE_INPUT:
                    inputs.append(self._text(first, last))
                elif number == _NODE_OUTPUT:
                    outputs.append(self._text(first, last))
                elif number == _NODE_OP_TYPE:
                    kind = self._text(first, last)
                elif number == _NODE_ATTRIBUTE:
                    numbers |= self._number(first, last)
            yield Node(kind, tuple(inputs), tuple(outputs), numbers)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each initializer, by its name."""
        shapes = {}
        for start, end in self._parts(_GRAPH_INITIALIZER):
            name, shape = "", list[int]()
            for number, _, _, first, last in self._fields(start, end):
                if number == _TENSOR_NAME:
                    name = self._text(first, last)
                elif number == _TENSOR_DIMS:
                    shape += self._numbers(first, last)
            shapes[name] = tuple(shape)
        return shapes

    def _numbers(self, start: int, end: int) -> Iterator[int]:
        """Whole numbers behind one another, as packed fields have them; one alone, too."""
        while start < end:
            number, start = self._varint(start, end)
            yield number

    def _parts(self, kind: int) -> Iterator[tuple[int, int]]:
        for number, wire, _, start, end in self._fields(0, len(self._data)):
            if number == _MODEL_GRAPH and wire == BYTES:
                yield from ((field[3], field[4]) for field in self._fields(start, end) if field[0] == kind)

    def _number(self, start: int, end: int) -> dict[str, int]:
        """An attribute that is one whole number (its field 3), by its name (its field 1)."""
        name, value = "", None
        for number, wire, _, first, last in self._fields(start, end):
            if number == 1:
                name = self._text(first, last)
            elif number == 3 and wire == VARINT:
                value = self._varint(first, last)[0]
        return {} if value is None else {name: value}

    def graph_bytes(self, place: Callable[[Tensor], tuple[str, int]]) -> bytes:
        """The model with its large tensors replaced by external references.

        `place` gives, for each tensor, the file name to write as location and the offset in it.
        """
        placed = {tensor.name: (tensor, *place(tensor)) for tensor in self.tensors}
        out: list[bytes] = []
        for number, wire, first, start, end in self._fields(0, len(self._data)):
            if number == _MODEL_GRAPH and wire == BYTES:
                body = b"".join([*self._graph_pieces(start, end, placed), *self._added])
                out.append(message(_MODEL_GRAPH, body))
            else:
                out.append(self._data[first:end])
        return b"".join(out)

    def _graph_pieces(self, start: int, end: int, placed: dict[str, tuple[Tensor, str, int]]) -> Iterator[bytes]:
        for number, _, first, value, last in self._fields(start, end):
            tensor = self._tensor(value, last) if number == _GRAPH_INITIALIZER else None
            if tensor is None:
                yield self._data[first:last]
                continue
            kept = b"".join(
                self._data[field[2] : field[4]]
                for field in self._fields(value, last)
                if field[0] not in (_TENSOR_RAW, _TENSOR_EXTERNAL, _TENSOR_LOCATION)
            )
            _, location, offset = placed[tensor.name]
            entries = {"location": location, "offset": str(offset), "length": str(tensor.length)}
            references = b"".join(
                message(_TENSOR_EXTERNAL, message(1, name.encode()) + message(2, text.encode()))
                for name, text in entries.items()
            )
            yield message(_GRAPH_INITIALIZER, kept + references + number_field(_TENSOR_LOCATION, 1))

    def widen(self, output: str, shape: Sequence[int | None]) -> str:
        """Adds an output that is `output` cast to float32, of that shape, and returns its name."""
        wide = f"{output}_as_float32"
        self._added.append(cast_to_float32(output, wide, shape))
        return wide

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
        """The graph with references into the files as they lie on disk, and those files mapped.

        What the check runs: the same road as the runtime's, with nothing written.
        """
        sources = {tensor.source: f"source-{index}" for index, tensor in enumerate(self.tensors)}
        mapped = {}
        for source, name in sources.items():
            with source.open("rb") as file:
                mapped[name] = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return self.graph_bytes(lambda tensor: (sources[tensor.source], tensor.offset)), mapped


def _pointer(name: str) -> ModelError:
    return ModelError(f"{name} is a Git LFS pointer, not the model: run `git lfs pull` in the folder it came from")
