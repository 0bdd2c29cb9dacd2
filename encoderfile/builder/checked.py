"""What the check found: the manifest to be, and the findings as a user sees them."""

from __future__ import annotations

from dataclasses import dataclass

from encoderfile.builder.folder import ModelFolder
from encoderfile.builder.onnx_graph import OnnxGraph
from encoderfile.builder.precision import Changed
from encoderfile.manifest import GraphInput, Manifest
from encoderfile.model.padding import CONSTANT


@dataclass(frozen=True)
class Checked:
    """A folder that passed."""

    folder: ModelFolder
    graph: OnnxGraph
    manifest: Manifest
    type_reason: str
    notes: tuple[str, ...] = ()
    changed: Changed | None = None
    """Keeps a changed graph on disk until it is written."""

    def rows(self) -> list[tuple[str, str]]:
        """The findings as label and value, for a table."""
        manifest = self.manifest
        weights = sum(tensor.length for tensor in self.graph.tensors)
        rows = [
            ("graph", f"{self.folder.onnx.name}, {weights / 1e6:.1f} MB of weights"),
            ("model type", f"{manifest.model_type} ({self.type_reason})"),
            ("inputs", ", ".join(_described(each) for each in manifest.graph.inputs)),
            ("output", manifest.graph.output),
            ("limit", f"{manifest.tokenizer.max_length} tokens"),
        ]
        if manifest.id2label is not None:
            rows.append(("labels", ", ".join(manifest.id2label.values())))
        if manifest.pooling is not None:
            normalized = "normalised" if manifest.pooling.normalize else "not normalised"
            rows.append(("pooling", f"{' + '.join(manifest.pooling.modes) or 'in the graph'}, {normalized}"))
        if manifest.prompts:
            rows.append(("prompts", manifest.prompts_in_words))
        rows.append(("alone or in a batch", f"answers differ by at most {manifest.max_padding_difference:.1e}"))
        rows += [("note", note) for note in self.notes]
        return rows


def _described(each: GraphInput) -> str:
    """An input, with what it is fed where its name does not say so."""
    if each.role != CONSTANT:
        return f"{each.name} as {each.role}" if each.role else each.name
    return f"{each.name} empty" if 0 in each.shape else f"{each.name} = {each.value:g}"
