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
from encoderfile.builder.check import Checked, check
from encoderfile.builder.config import BuildConfig
from encoderfile.builder.container_writer import Part, sha256, write
from encoderfile.builder.runtimes import cuda_libraries, lua, packs
from encoderfile.builder.runtimes.cache import cache_folder
from encoderfile.builder.runtimes.platforms import this_platform
from encoderfile.builder.runtimes.sbom import cuda_libraries_of
from encoderfile.builder.trial import try_out
from encoderfile.container import Container
from encoderfile.errors import ConfigError
from encoderfile.manifest import GRAPH, TENSORS, TOKENIZER, TRANSFORM, WEIGHTS, Manifest
from encoderfile.model.device import cuda_obstacle
from encoderfile.pack import sbom_of
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
    base = packs.opened(config.base_binary_path) if config.base_binary_path is not None else None
    platform, device, reason = _machine(config, base)
    if device == "cuda" and config.precision.quantize is not None:
        raise ConfigError(
            f"--quantize {config.precision.quantize} makes a graph for the CPU, and this file would be for CUDA "
            f"({reason}): leave it out, or build with --device cpu"
        )
    frozen = packs.usable(base, platform, device) if base is not None else None
    if frozen is None and platform != this_platform():
        frozen = packs.runtime(platform, device, cache_folder(config.cache_dir), say)
    if _brings_cuda(config, device):
        cuda_libraries.require_installed()
    if config.transform is not None:
        lua.require(platform, base)
    say(f"checking {config.path}")
    with waiting(f"checking {config.path}"):
        checked = check(config)
    refuse_overwriting({"--output-path": target, **other_outputs}, _inputs(config, checked))
    say(f"model type: {checked.manifest.model_type} ({checked.type_reason})")
    for note in checked.notes:
        say(f"note: {note}")
    say(f"platform: {platform}, device: {device} ({reason})")
    if frozen is None:
        frozen = packs.runtime(platform, device, cache_folder(config.cache_dir), say)
    parts = _parts(checked)
    if _brings_cuda(config, device):
        roots = cuda_libraries_of(frozen.pack)
        parts += cuda_libraries.parts(roots, checked.graph.op_types, cache_folder(config.cache_dir), say)
    if checked.transform is not None:
        parts.append(lua.part(base, frozen.pack))
    say(f"writing {target}")
    with replacing(target, "--output-path", say) as temporary:
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
        try_out(temporary, platform, say)
        digest = sha256(temporary)
    with Container(target) as container:
        sbom = sbom_of(container).encode()
    return Built(target, target.stat().st_size, digest, time.perf_counter() - started, manifest, sbom)


def _inputs(config: BuildConfig, checked: Checked) -> Iterator[Path]:
    """The files that the build reads."""
    folder = checked.folder
    yield folder.onnx
    yield from (tensor.source for tensor in checked.graph.tensors)
    yield from config.files.values()
    for parent in (folder.path, folder.path.resolve().parent):  # the second for a hub's onnx/ given alone
        yield from (parent / name for name in folder.files)
    if config.base_binary_path is not None:
        yield config.base_binary_path
    if config.precision.calibrate is not None:
        yield config.precision.calibrate


def _machine(config: BuildConfig, base: packs.Pack | None) -> tuple[str, str, str]:
    """Platform and device of the new file, and why that device: `auto` follows the machine that builds.

    A runtime that was given decides what the flags leave open.
    """
    platform = config.platform or (base.platform if base is not None else this_platform())
    if config.device != "auto":
        return platform, config.device, f"given by --device {config.device}"
    if base is not None:
        return platform, base.device, f"the runtime in {base.data.path} is for it"
    if platform != this_platform():
        return platform, "cpu", f"what {platform} has is not known here; --device cuda builds for CUDA"
    carried = config.cuda_libraries != cuda_libraries.SYSTEM and cuda_libraries.are_installed()
    obstacle = cuda_obstacle(0, None) if carried else cuda_obstacle(0)
    if obstacle is None:
        return platform, "cuda", "this machine has a usable CUDA device"
    return platform, "cpu", obstacle


def _brings_cuda(config: BuildConfig, device: str) -> bool:
    return device == "cuda" and config.cuda_libraries != cuda_libraries.SYSTEM


def _parts(checked: Checked) -> list[Part]:
    graph, slices, length = checked.graph.layout()
    parts = [Part(GRAPH, graph), Part(TOKENIZER, checked.folder.files["tokenizer.json"])]
    parts += [Part(name, data) for name, data in sorted(checked.folder.files.items()) if name != "tokenizer.json"]
    if checked.tensors:
        parts.append(Part(TENSORS, tensors.write(checked.tensors)))
    if checked.transform is not None:
        parts.append(Part(TRANSFORM, checked.transform.source.encode()))
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
