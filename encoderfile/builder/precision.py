"""`--quantize` and `--optimize`: another graph in place of the exported one."""

from __future__ import annotations

import tempfile
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree

from encoderfile.builder.optimize import write_optimized
from encoderfile.builder.quantize import weight_levels, write_quantized


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


class TemporaryFolder:
    """A new folder, removed when this object goes."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="encoderfile-graph-"))
        weakref.finalize(self, rmtree, self.path, ignore_errors=True)


@dataclass(frozen=True)
class Changed:
    """The graph to ship, and the folders it lies in until it is written."""

    onnx: Path
    notes: tuple[str, ...] = ()
    _folders: tuple[TemporaryFolder, ...] = field(default=(), repr=False)


def changed(onnx: Path, options: PrecisionOptions) -> Changed:
    """Makes the graph that `options` describe out of the file `onnx`, which stays as it is.

    Raises `ConfigError` or `ModelError` when that cannot be done.
    """
    folders: list[TemporaryFolder] = []
    notes: list[str] = []
    steps = []
    if options.quantize == "int8":
        bits = weight_levels().bit_length() + 1
        steps.append((write_quantized, f"int8: weights in {bits} bits, activations in 8 bits per token"))
    if options.optimize:
        steps.append((write_optimized, "optimised: operators are fused, the same way for every processor"))
    for write, note in steps:
        folders.append(TemporaryFolder())
        target = folders[-1].path / "model.onnx"
        write(onnx, target)
        onnx = target
        notes.append(note)
    return Changed(onnx, tuple(notes), tuple(folders))
