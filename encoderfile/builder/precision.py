"""`--quantize` and `--optimize`: another graph in place of the exported one, and how far its answers moved."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from encoderfile.builder.optimize import write_optimized
from encoderfile.builder.quantize import quantized, weight_levels
from encoderfile.builder.scratch import Scratch


@dataclass(frozen=True, slots=True)
class PrecisionOptions:
    """What flags ask for. `calibrate` is a file of texts, `max_flips` a share of labels."""

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


@dataclass(frozen=True)
class Changed:
    """The graph to ship, and the folders it lies in until it is written."""

    onnx: Path
    notes: tuple[str, ...] = ()
    _folders: tuple[Scratch, ...] = field(default=(), repr=False)


def changed(onnx: Path, options: PrecisionOptions) -> Changed:
    """Makes the graph that `options` describe out of the file `onnx`, which stays as it is.

    Raises `ConfigError` or `ModelError` when that cannot be done.
    """
    folders: list[Scratch] = []
    notes: list[str] = []
    if options.quantize == "int8":
        folders.append(quantized(onnx))
        onnx = folders[-1].path / "model.onnx"
        notes.append(f"int8: weights in {weight_levels().bit_length() + 1} bits, activations in 8 bits per token")
    if options.optimize:
        folders.append(Scratch("optimized"))
        target = folders[-1].path / "model.onnx"
        write_optimized(onnx, target)
        onnx = target
        notes.append("optimised: operators are fused that are the same on every processor")
    return Changed(onnx, tuple(notes), tuple(folders))
