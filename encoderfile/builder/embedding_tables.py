"""The embedding tables of a graph: of words, of positions, of token types."""

from __future__ import annotations

from dataclasses import dataclass

from encoderfile.builder.onnx_graph import OnnxGraph

# Operators between a table and its lookup, the table as their first input.
_BETWEEN = frozenset({"Cast", "DequantizeLinear", "Identity"})


@dataclass(frozen=True, slots=True)
class Table:
    """A matrix whose rows are looked up, one for each id."""

    name: str
    rows: int


def tables_of(graph: OnnxGraph) -> tuple[Table, ...]:
    """The tables of a graph; none where it looks them up with operators that are not known here."""
    shapes = graph.shapes()
    comes_from: dict[str, str] = {}
    found: dict[str, Table] = {}
    for node in graph.nodes():
        if node.op_type in _BETWEEN and node.inputs:
            comes_from |= {output: comes_from.get(node.inputs[0], node.inputs[0]) for output in node.outputs[:1]}
        if node.op_type == "Gather" and node.integers.get("axis", 0) == 0:
            names = node.inputs[:1]
        elif node.op_type.endswith("EmbedLayerNormalization"):  # onnxruntime's fusion of a BERT's three tables
            names = node.inputs[2:5]
        else:
            continue
        for name in names:
            source = comes_from.get(name, name)
            if len(shapes.get(source, ())) == 2:
                found[source] = Table(source, shapes[source][0])
    return tuple(found.values())
