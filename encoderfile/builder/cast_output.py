"""A Cast to float32 after an output of a type that numpy does not have (bfloat16).

onnxruntime cannot pass such an output to Python, so the graph itself converts it, exactly. Field numbers:
onnx/onnx.proto.
"""

from __future__ import annotations

from collections.abc import Sequence

from encoderfile.builder.protobuf import message, number_field

_GRAPH_NODE, _GRAPH_OUTPUT = 1, 12
_NODE_INPUT, _NODE_OUTPUT, _NODE_OP_TYPE, _NODE_ATTRIBUTE = 1, 2, 4, 5
_ATTRIBUTE_NAME, _ATTRIBUTE_INT, _ATTRIBUTE_TYPE, _INT = 1, 3, 20, 2
_VALUE_NAME, _VALUE_TYPE = 1, 2
_TYPE_TENSOR, _TENSOR_ELEMENT, _TENSOR_SHAPE = 1, 1, 2
_SHAPE_DIMENSION, _DIMENSION_VALUE, _DIMENSION_NAME = 1, 1, 2
_FLOAT = 1


def cast_to_float32(output: str, cast: str, shape: Sequence[int | None]) -> bytes:
    """Fields to append to a graph: a node that casts `output`, and the graph output `cast` of that shape."""
    to = message(_ATTRIBUTE_NAME, b"to") + number_field(_ATTRIBUTE_INT, _FLOAT) + number_field(_ATTRIBUTE_TYPE, _INT)
    node = (
        message(_NODE_INPUT, output.encode())
        + message(_NODE_OUTPUT, cast.encode())
        + message(_NODE_OP_TYPE, b"Cast")
        + message(_NODE_ATTRIBUTE, to)
    )
    dimensions = b"".join(message(_SHAPE_DIMENSION, _dimension(axis, size)) for axis, size in enumerate(shape))
    tensor = number_field(_TENSOR_ELEMENT, _FLOAT) + message(_TENSOR_SHAPE, dimensions)
    value = message(_VALUE_NAME, cast.encode()) + message(_VALUE_TYPE, message(_TYPE_TENSOR, tensor))
    return message(_GRAPH_NODE, node) + message(_GRAPH_OUTPUT, value)


def _dimension(axis: int, size: int | None) -> bytes:
    if size is None:
        return message(_DIMENSION_NAME, f"{axis}_of_cast".encode())
    return number_field(_DIMENSION_VALUE, size)
