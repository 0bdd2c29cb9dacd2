"""One build: check, freeze or fetch the runtime, write, run the new file, rename."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from encoderfile.atomic import replacing
from encoderfile.builder import container_writer, runtime_cache, runtime_facts
from encoderfile.builder.check import check
from encoderfile.builder.checked import Checked
from encoderfile.builder.config import BuildConfig
from encoderfile.builder.container_writer import Part
from encoderfile.builder.destinations import refuse_overwriting
from encoderfile.container import Container, hash_range
from encoderfile.errors import ConfigError, ContainerError, ModelError
from encoderfile.manifest import GRAPH, TOKENIZER, WEIGHTS, Manifest
from encoderfile.model.device import cuda_obstacle
from encoderfile.progress import Progress, waiting

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Built:
    """A finished file. `seconds` counts everything from the check to the rename."""

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


def build(config: BuildConfig, say: Say, beside: Mapping[str, Path] = MappingProxyType({})) -> Built:
    """Makes the executable that `config` describes; `say` gets one line per step.

    `beside` is what the caller will write too, by the flags that say so: it must be another place.

    Nothing is written beside the cache before the folder passed its check, and the file appears at its
    final name only when it is whole and has run. Raises `ModelError` or `ConfigError`.
    """
    started = time.perf_counter()
    device, reason = _device(config.device)
    if device == "cuda" and config.precision.quantize is not None:
        raise ConfigError(
            f"--quantize {config.precision.quantize} makes a graph for the CPU, and this file would be for CUDA "
            f"({reason}): leave it out, or build with --device cpu"
        )
    say(f"checking {config.path}")
    with waiting(f"checking {config.path}"):
        checked = check(config)
    refuse_overwriting({"--output-path": config.target, **beside}, _read(config, checked))
    say(f"model type {checked.manifest.model_type}: {checked.type_reason}")
    for note in checked.notes:
        say(f"note: {note}")
    say(f"device {device}: {reason}")
    if config.base_binary_path is not None:
        say("note: base_binary_path is not used, the runtime is frozen from this installation")
    frozen = runtime_cache.runtime(device, runtime_cache.cache_folder(config.cache_dir), say)
    target = config.target
    say(f"writing {target}")
    with replacing(target, "--output-path", say) as temporary:
        parts = _parts(checked)
        weights = sum(piece.length for part in parts for piece in part.slices)
        with _progress(f"writing {target}", 2 * weights + frozen.pack.length) as progress:
            manifest = container_writer.write(
                temporary,
                launcher=frozen.launcher,
                pack=frozen.pack,
                parts=parts,
                describe=lambda artifacts: dataclasses.replace(checked.manifest, artifacts=artifacts),
                advance=progress.advance,
            )
        say("running the new file once")
        _try(temporary)
        digest = _sha256(temporary)
    return Built(target, target.stat().st_size, digest, time.perf_counter() - started, manifest, frozen.sbom())


def _read(config: BuildConfig, checked: Checked) -> Iterator[Path]:
    """The files that the build reads."""
    folder = checked.folder
    yield folder.onnx
    yield from (tensor.source for tensor in checked.graph.tensors)
    yield from config.files.values()
    for place in (folder.path, folder.path.resolve().parent):  # the second for a hub's onnx/ given alone
        yield from (place / name for name in folder.files)
    if config.precision.calibrate is not None:
        yield config.precision.calibrate


def upgrade(file: Path, output: Path | None, device: str | None, cache_dir: Path | None, say: Say) -> Path:
    """Gives the payload of `file`, byte for byte, the runtime of this version; returns where the new file is.

    `output` None replaces `file`; `device` None keeps what the file was built for. Raises `ContainerError` or
    `ConfigError`; on failure an existing file stays as it was.
    """
    target = output or file
    with Container(file) as old:
        with waiting(f"checking {file}"):
            old.verify()
        device = device or runtime_facts.device_of(old.pack)
        if device is None:
            raise ContainerError(f"{file} does not say which runtime it has: give --device cpu or --device cuda")
        frozen = runtime_cache.runtime(device, runtime_cache.cache_folder(cache_dir), say)
        say(f"writing {target}")
        with replacing(target, "--output-path", say) as temporary:
            with _progress(f"writing {target}", old.size) as progress:
                container_writer.rewrap(
                    temporary, old, launcher=frozen.launcher, pack=frozen.pack, advance=progress.advance
                )
            say("running the new file once")
            _try(temporary)
            if output is None:
                temporary.chmod(file.stat().st_mode & 0o777)
    return target


def extract(file: Path, folder: Path, say: Say = lambda _: None) -> None:
    """Writes the model folder back: every file of the export, with the weights beside `model.onnx`.

    Raises `ContainerError` for a damaged file, `ConfigError` for a folder that is not empty or cannot be written;
    nothing is left behind then.
    """
    with Container(file) as source:
        with waiting(f"checking {file}"):
            source.verify()
        places = [_place(source, artifact.name, folder) for artifact in source.manifest.artifacts]
        if len(set(places)) < len(places):
            raise ContainerError(f"{file} holds two files of one name: build it again")
        made = not os.path.lexists(folder)
        total = sum(artifact.length for artifact in source.manifest.artifacts)
        try:
            if not made and any(folder.iterdir()):
                raise ConfigError(f"{folder} is not empty: give a new folder")
            with _all_or_nothing(places), _progress(f"writing {folder}", total) as progress:
                for artifact, path in zip(source.manifest.artifacts, places, strict=True):
                    path.parent.mkdir(parents=True, exist_ok=True)
                    container_writer.copy_out(source.slice_of(artifact), path, progress.advance)
        except OSError as error:
            raise ConfigError(f"cannot write into {folder}: {error.strerror}; give another folder") from error
    if made:
        say(f"made the folder {folder}")


@contextlib.contextmanager
def _all_or_nothing(places: Sequence[Path]) -> Iterator[None]:
    """Where the block fails or is interrupted, removes the files at `places` and the folders it made for them."""
    missing = {above for place in places for above in place.parents if not os.path.lexists(above)}
    try:
        yield
    except BaseException:
        for place in places:
            with contextlib.suppress(OSError):
                place.unlink()
        for folder in sorted(missing, reverse=True):  # the innermost first
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


def _place(source: Container, name: str, folder: Path) -> Path:
    """Where an artifact goes in a model's folder. Raises `ContainerError` for a name that leads out of it."""
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise ContainerError(f"{source.path} holds {name}, which would lie outside {folder}")
    return folder / ("model.onnx" if name == GRAPH else name)


def _device(wanted: str) -> tuple[str, str]:
    """Which runtime to put in: `auto` follows the build machine."""
    if wanted != "auto":
        return wanted, f"asked for by --device {wanted}"
    obstacle = cuda_obstacle(0)
    if obstacle is None:
        return "cuda", "the build machine has a usable CUDA device"
    return "cpu", f"the build machine has no CUDA: {obstacle}"


def _parts(checked: Checked) -> list[Part]:
    graph, slices, length = checked.graph.layout()
    parts = [Part(GRAPH, graph), Part(TOKENIZER, checked.folder.files["tokenizer.json"])]
    parts += [Part(name, data) for name, data in sorted(checked.folder.files.items()) if name != "tokenizer.json"]
    if slices:
        parts.append(Part(WEIGHTS, slices=slices, length=length))
    return parts


def _try(file: Path) -> None:
    """Runs `info` of the new file, which also compares all its checksums. Raises `ModelError` when it fails."""
    # CUDA_VISIBLE_DEVICES and the like stay; the file must run wherever it was built.
    command = [str(file.resolve()), "info", "--json"]
    try:
        with waiting("running the new file once"):
            result = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    except OSError as error:
        raise ConfigError(
            f"the new file cannot be run in {file.parent} ({error.strerror}): choose a place that is not mounted "
            "noexec with --output-path"
        ) from error
    if result.returncode != 0:
        raise ModelError(f"the new file does not run and was removed: {result.stderr.strip()[-500:]}")
    json.loads(result.stdout)


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    size = file.stat().st_size
    with file.open("rb") as source, _progress("computing the checksum of the new file", size) as progress:
        hash_range(source.fileno(), 0, size, digest, progress.advance)
    return digest.hexdigest()


def _progress(label: str, size: int) -> Progress:
    return Progress(label, size, unit="MB", scale=1e6)
