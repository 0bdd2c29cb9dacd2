"""One build: check, freeze or fetch the runtime, write, run the new file, rename."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from encoderfile import container, pack
from encoderfile.builder import freeze, inventory
from encoderfile.builder.check import Checked, check
from encoderfile.builder.config import BuildConfig
from encoderfile.container import Part
from encoderfile.errors import ConfigError, ContainerError, ModelError
from encoderfile.manifest import GRAPH, SBOM_PATH, TOKENIZER, WEIGHTS, Manifest
from encoderfile.model.device import cuda_obstacle

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


def build(config: BuildConfig, say: Say) -> Built:
    """Makes the executable that `config` describes; `say` gets one line per step.

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
    checked = check(config)
    say(f"model type {checked.manifest.model_type.value}: {checked.type_reason}")
    for note in checked.notes:
        say(f"note: {note}")
    say(f"device {device}: {reason}")
    if config.base_binary_path is not None:
        say("note: base_binary_path is not used, the runtime is frozen from this installation")
    frozen = freeze.runtime(device, freeze.cache_folder(config.cache_dir), say)
    target = config.target
    say(f"writing {target}")
    with container.replacing(target, "--output-path") as temporary:
        manifest = container.write(
            temporary,
            launcher=frozen.launcher,
            pack=frozen.pack,
            parts=_parts(checked),
            describe=lambda artifacts: dataclasses.replace(checked.manifest, artifacts=artifacts),
        )
        say("running the new file once")
        _try(temporary)
        digest = _sha256(temporary)
    return Built(
        target, target.stat().st_size, digest, time.perf_counter() - started, manifest, frozen.sbom.read_bytes()
    )


def upgrade(file: Path, output: Path | None, device: str | None, cache_dir: Path | None, say: Say) -> Path:
    """Gives the payload of `file`, byte for byte, the runtime of this version; returns where the new file is.

    `output` None replaces `file`; `device` None keeps what the file was built for. Raises `ContainerError` or
    `ConfigError`; on failure an existing file stays as it was.
    """
    target = output or file
    with container.Container(file) as old:
        old.verify()
        if device is None:
            device = inventory.property_of(json.loads(pack.read(old.pack, SBOM_PATH))["metadata"], "device")
        frozen = freeze.runtime(device, freeze.cache_folder(cache_dir), say)
        say(f"writing {target}")
        with container.replacing(target, "--output-path") as temporary:
            container.rewrap(temporary, old, launcher=frozen.launcher, pack=frozen.pack)
            say("running the new file once")
            _try(temporary)
            if output is None:
                temporary.chmod(file.stat().st_mode & 0o777)
    return target


def extract(file: Path, folder: Path) -> None:
    """Writes the model folder back: every file of the export, with the weights beside `model.onnx`.

    Raises `ContainerError` for a damaged file, `ConfigError` for a folder that is not empty or cannot be written.
    """
    with container.Container(file) as source:
        source.verify()
        try:
            if folder.exists() and any(folder.iterdir()):
                raise ConfigError(f"{folder} is not empty: give a new folder")
            for artifact in source.manifest.artifacts:
                if Path(artifact.name).is_absolute() or ".." in Path(artifact.name).parts:
                    raise ContainerError(f"{file} holds {artifact.name}, which would lie outside {folder}")
                path = folder / ("model.onnx" if artifact.name == GRAPH else artifact.name)
                path.parent.mkdir(parents=True, exist_ok=True)
                container.copy_out(source.slice_of(artifact), path)
        except OSError as error:
            raise ConfigError(f"cannot write into {folder}: {error.strerror}") from error


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
    """Runs `info` of the new file, which also compares all its sums. Raises `ModelError` when it fails."""
    # CUDA_VISIBLE_DEVICES and the like stay; the file must run wherever it was built.
    result = subprocess.run(
        [str(file.resolve()), "info", "--json"], capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    if result.returncode != 0:
        raise ModelError(f"the new file does not run and was removed: {result.stderr.strip()[-500:]}")
    json.loads(result.stdout)


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as source:
        container.hash_range(source.fileno(), 0, file.stat().st_size, digest)
    return digest.hexdigest()
