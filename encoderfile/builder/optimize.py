"""`--optimize`: the graph with operators fused, once, instead of at every start."""

from __future__ import annotations

from pathlib import Path

from encoderfile.errors import ModelError
from encoderfile.model.session import VERSION, reason


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
