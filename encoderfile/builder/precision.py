"""`--quantize` and `--optimize`: another graph in place of the exported one."""

from __future__ import annotations

import tempfile
import weakref
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

from encoderfile.builder.quantize import weight_levels, write_quantized
from encoderfile.errors import ModelError
from encoderfile.model.session import VERSION, reason


@dataclass(frozen=True, slots=True)
class PrecisionOptions:
    """What the flags say. `calibrate` is a file of texts, `max_flips` a share of labels."""

    quantize: str | None = None
    optimize: bool | None = None
    calibrate: Path | None = None
    max_flips: float | None = None

    @property
    def changes(self) -> bool:
        """Whether the graph that ships is another than the exported one."""
        return self.quantize is not None or bool(self.optimize)

    def words(self) -> str:
        """What the manifest says of it."""
        done = [*([self.quantize] if self.quantize else []), *(["optimized"] if self.optimize else [])]
        return ", ".join(done) or "as exported"


class Changed:
    """The graph to ship, in a folder that is removed when this object goes."""

    def __init__(self, onnx: Path, options: PrecisionOptions) -> None:
        """Makes the graph that `options` describe out of the file `onnx`, which stays as it is.

        Raises `ConfigError` or `ModelError` when that cannot be done.
        """
        self.onnx = onnx
        self.notes: list[str] = []
        if not options.changes:
            return
        folder = Path(tempfile.mkdtemp(prefix="encoderfile-graph-"))
        weakref.finalize(self, rmtree, folder, ignore_errors=True)
        if options.quantize is not None:
            write_quantized(onnx, folder / "int8.onnx")
            self.onnx = folder / "int8.onnx"
            bits = weight_levels().bit_length() + 1
            self.notes.append(f"int8: weights in {bits} bits, activations in 8 bits per token")
        if options.optimize:
            write_optimized(self.onnx, folder / "optimized.onnx")
            self.onnx = folder / "optimized.onnx"
            self.notes.append("optimised: operators are fused, the same way for every processor")


def write_optimized(source: Path, target: Path) -> None:
    """Writes the graph `source` to `target` with operators fused, and large weights beside it.

    Only fusions that are the same on every processor. Raises `ModelError` when onnxruntime refuses the graph.
    """
    import onnxruntime as ort  # after model.session, which keeps it from reporting home

    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(target)
    for key, value in (("file_name", f"{target.name}_data"), ("min_size_in_bytes", "4096")):
        options.add_session_config_entry(f"session.optimized_model_external_initializers_{key}", value)
    # What is packed for this processor must not be written for others.
    options.add_session_config_entry("session.disable_prepacking", "1")
    try:
        ort.InferenceSession(str(source), options, providers=["CPUExecutionProvider"], enable_fallback=0)
    except Exception as error:  # the library's errors have no base of their own
        raise ModelError(
            f"onnxruntime {VERSION} cannot optimise the graph ({reason(error)}): leave out --optimize"
        ) from error
