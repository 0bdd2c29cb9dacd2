"""One build: check, freeze or fetch the runtime, write, run the new file, rename."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from encoderfile import tensors
from encoderfile.atomic import is_special, replacing
from encoderfile.builder import runtime_cache
from encoderfile.builder.check import Checked, check
from encoderfile.builder.config import BuildConfig
from encoderfile.builder.container_writer import Part, sha256, try_out, write
from encoderfile.errors import ConfigError
from encoderfile.manifest import GRAPH, TENSORS, TOKENIZER, WEIGHTS, Manifest
from encoderfile.model.device import cuda_obstacle
from encoderfile.pack import SBOM_PATH, read
from encoderfile.progress import Progress, waiting


@dataclass(frozen=True, slots=True)
class Built:
    """A finished file. `seconds` counts everything from the check to the rename; `sbom` is CycloneDX JSON."""

    path: Path
    size: int
    sha256: str
    seconds: float
    manifest: Manifest
    sbom: bytes

    def report(self) -> dict[str, Any]:
        """The JSON of `--report`."""
        return {
            "path": str(self.path),
            "size": self.size,
            "sha256": self.sha256,
            "seconds": round(self.seconds, 3),
            "manifest": self.manifest.to_json(),
        }


def build(
    config: BuildConfig, say: Callable[[str], None], other_outputs: Mapping[str, Path] = MappingProxyType({})
) -> Built:
    """Makes the executable that `config` describes; `say` gets one line per step.

    `other_outputs` are the files that the caller will write too, by their flags: each must have a path of its own.

    Nothing is written, except to the cache, before the folder has passed its check, and the file appears at its
    final name only when it is complete and has run. Raises `ModelError` or `ConfigError`.
    """
    started = time.perf_counter()
    target = config.target
    device, reason = _device(config.device)
    if device == "cuda" and config.precision.quantize is not None:
        raise ConfigError(
            f"--quantize {config.precision.quantize} makes a graph for the CPU, and this file would be for CUDA "
            f"({reason}): leave it out, or build with --device cpu"
        )
    say(f"checking {config.path}")
    with waiting(f"checking {config.path}"):
        checked = check(config)
    refuse_overwriting({"--output-path": target, **other_outputs}, _inputs(config, checked))
    say(f"model type: {checked.manifest.model_type} ({checked.type_reason})")
    for note in checked.notes:
        say(f"note: {note}")
    say(f"device: {device} ({reason})")
    if config.base_binary_path is not None:
        say("note: base_binary_path is not used, the runtime is frozen from this installation")
    frozen = runtime_cache.runtime(device, runtime_cache.cache_folder(config.cache_dir), say)
    say(f"writing {target}")
    with replacing(target, "--output-path", say) as temporary:
        parts = _parts(checked)
        weights = sum(each.length for part in parts for each in part.slices)
        with Progress.of_bytes(f"writing {target}", 2 * weights + frozen.pack.length) as progress:
            manifest = write(
                temporary,
                launcher=frozen.launcher,
                pack=frozen.pack,
                parts=parts,
                describe=lambda artifacts: dataclasses.replace(checked.manifest, artifacts=artifacts),
                advance=progress.advance,
            )
        say("running the new file once")
        try_out(temporary)
        digest = sha256(temporary)
    sbom = read(frozen.pack, SBOM_PATH)
    return Built(target, target.stat().st_size, digest, time.perf_counter() - started, manifest, sbom)


def _inputs(config: BuildConfig, checked: Checked) -> Iterator[Path]:
    """The files that the build reads."""
    folder = checked.folder
    yield folder.onnx
    yield from (tensor.source for tensor in checked.graph.tensors)
    yield from config.files.values()
    for parent in (folder.path, folder.path.resolve().parent):  # the second for a hub's onnx/ given alone
        yield from (parent / name for name in folder.files)
    if config.precision.calibrate is not None:
        yield config.precision.calibrate


def _device(given: str) -> tuple[str, str]:
    """Which runtime to put in, and why: `auto` follows the machine that builds."""
    if given != "auto":
        return given, f"given by --device {given}"
    obstacle = cuda_obstacle(0)
    if obstacle is None:
        return "cuda", "this machine has a usable CUDA device"
    return "cpu", obstacle


def _parts(checked: Checked) -> list[Part]:
    graph, slices, length = checked.graph.layout()
    parts = [Part(GRAPH, graph), Part(TOKENIZER, checked.folder.files["tokenizer.json"])]
    parts += [Part(name, data) for name, data in sorted(checked.folder.files.items()) if name != "tokenizer.json"]
    if checked.tensors:
        parts.append(Part(TENSORS, tensors.write(checked.tensors)))
    if slices:
        parts.append(Part(WEIGHTS, slices=slices, length=length))
    return parts


def refuse_overwriting(writes: Mapping[str, Path], reads: Iterable[Path]) -> None:
    """Raises `ConfigError` where a file of the user's would be lost; `writes` are keyed by their flags.

    Pipes and devices (`/dev/stderr`) lose nothing.
    """
    read = {os.path.realpath(path) for path in reads}
    taken: dict[str, str] = {}
    for flag, path in writes.items():
        real = os.path.realpath(path)
        if is_special(path):
            continue
        if real in read:
            raise ConfigError(f"{flag} {path} would replace a file that the build reads: choose another path")
        if real in taken:
            raise ConfigError(f"{taken[real]} and {flag} both name {path}: give each a path of its own")
        taken[real] = flag
