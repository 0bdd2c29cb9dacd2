"""Parts that are added to a graph, in the form of ONNX's protocol buffers (onnx/onnx.proto)."""

from __future__ import annotations

from collections.abc import Sequence

from encoderfile.builder.onnx_file import message, number_field

_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_OUTPUT = 1, 5, 12
_NODE_INPUT, _NODE_OUTPUT, _NODE_OP_TYPE, _NODE_ATTRIBUTE = 1, 2, 4, 5
_ATTRIBUTE_NAME, _ATTRIBUTE_INT, _ATTRIBUTE_TYPE, _INT = 1, 3, 20, 2
_TENSOR_DIMS, _TENSOR_TYPE, _TENSOR_NAME, _TENSOR_RAW, _INT64 = 1, 2, 8, 9, 7
_VALUE_NAME, _VALUE_TYPE, _TYPE_TENSOR, _TENSOR_ELEMENT = 1, 2, 1, 1
_TENSOR_SHAPE, _SHAPE_DIMENSION, _DIMENSION_VALUE, _DIMENSION_NAME = 2, 1, 1, 2

FLOAT = 1
"""The type float32, for `Cast`."""


def node(kind: str, inputs: Sequence[str], output: str, **integers: int) -> bytes:
    """An operator with one output; `integers` are its attributes."""
    body = b"".join(message(_NODE_INPUT, name.encode()) for name in inputs)
    body += message(_NODE_OUTPUT, output.encode()) + message(_NODE_OP_TYPE, kind.encode())
    for name, value in integers.items():
        attribute = message(_ATTRIBUTE_NAME, name.encode()) + number_field(_ATTRIBUTE_INT, value)
        body += message(_NODE_ATTRIBUTE, attribute + number_field(_ATTRIBUTE_TYPE, _INT))
    return message(_GRAPH_NODE, body)


def int64s(name: str, values: Sequence[int]) -> bytes:
    """A constant [len(values)]."""
    raw = b"".join(value.to_bytes(8, "little", signed=True) for value in values)
    body = number_field(_TENSOR_DIMS, len(values)) + number_field(_TENSOR_TYPE, _INT64)
    return message(_GRAPH_INITIALIZER, body + message(_TENSOR_NAME, name.encode()) + message(_TENSOR_RAW, raw))


def float32_output(name: str, shape: Sequence[int | None]) -> bytes:
    """An output of the graph; None is an axis of any size."""
    sizes = [
        message(_DIMENSION_NAME, f"{name}_axis_{axis}".encode())
        if size is None
        else number_field(_DIMENSION_VALUE, size)
        for axis, size in enumerate(shape)
    ]
    dimensions = b"".join(message(_SHAPE_DIMENSION, size) for size in sizes)
    tensor = number_field(_TENSOR_ELEMENT, FLOAT) + message(_TENSOR_SHAPE, dimensions)
    value = message(_VALUE_NAME, name.encode()) + message(_VALUE_TYPE, message(_TYPE_TENSOR, tensor))
    return message(_GRAPH_OUTPUT, value)
