"""What `info` says. Imports neither onnxruntime nor tokenizers, so that it answers at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import encoderfile
from encoderfile.console import json_text, printable
from encoderfile.container import Container
from encoderfile.manifest import LIBRARIES, Manifest
from encoderfile.model.device import Device
from encoderfile.runtime import frozen


def describe(executable: Path, device: Device, as_json: bool) -> str:
    """What is in the file, after all its checksums were compared, and the device it would use here."""
    with Container(executable) as container:
        container.verify()
        manifest, size = container.manifest, container.size
    runtime = frozen.facts()
    if as_json:
        facts = {
            "path": str(executable),
            "size": size,
            "encoderfile_version": encoderfile.__version__,
            "device": {"name": device.name, "reason": device.reason},
            "runtime": runtime,
            "manifest": manifest.to_json(),
        }
        return json_text(facts).decode()
    rows = [
        ("name", f"{manifest.name} {manifest.version}"),
        ("model type", manifest.model_type),
        *([("abilities", ", ".join(manifest.abilities))] if manifest.abilities else []),
        *([("labels", ", ".join(manifest.id2label.values()))] if manifest.id2label else []),
        *([("prompts", manifest.prompts_in_words)] if manifest.prompts else []),
        *([("similarity", manifest.similarity)] if manifest.similarity else []),
        *([("transform", manifest.transform_in_words)] if manifest.has_transform else []),
        *([("license", manifest.card.license)] if manifest.card.license else []),
        *([("languages", ", ".join(manifest.card.languages))] if manifest.card.languages else []),
        ("limit", f"{manifest.tokenizer.max_length} tokens"),
        *([("precision", manifest.precision)] if manifest.drift is not None else []),
        ("device", f"{device.name} ({device.reason})"),
        ("built by", f"encoderfile {manifest.builder_version}"),
        ("runtime", f"encoderfile {runtime['version']} for {runtime['device']}"),
        ("needs", f"Linux {runtime['machine']}"),
        ("C library", _c_library(runtime)),
        ("unpacked in", f"{runtime['folder']}, {runtime['size'] / 1e6:.1f} MB"),
        *([("CUDA libraries", _cuda_libraries(manifest))] if runtime["device"] == "cuda" else []),
        ("made of", ", ".join(_package(runtime, *each) for each in runtime["versions"].items())),
        ("file", f"{executable}, {size / 1e6:.1f} MB, all checksums match"),
        *((artifact.name, f"{artifact.length} bytes, sha256 {artifact.sha256}") for artifact in manifest.artifacts),
    ]
    width = max(len(label) for label, _ in rows)
    return "\n".join(printable(f"{label:<{width}}  {value}") for label, value in rows)


def _cuda_libraries(manifest: Manifest) -> str:
    """Where they come from."""
    sizes = [each.length for name in LIBRARIES if (each := manifest.artifact(name)) is not None]
    if sizes:
        return f"in this file, {sum(sizes) / 1e6:.1f} MB, unpacked when they are used; the machine needs a driver"
    return "this machine's: CUDA 13, and cuDNN 9 for some models"


def _package(runtime: Mapping[str, Any], name: str, version: str) -> str:
    """onnxruntime's package for GPUs is its package for CPUs too, and more."""
    note = " (CPU part only)" if (name, runtime["device"]) == ("onnxruntime-gpu", "cpu") else ""
    return f"{name} {version}{note}"


def _c_library(runtime: Mapping[str, Any]) -> str:
    """Which one runs this process, and why."""
    if runtime["c_library"] == "own":
        return f"its own, glibc {runtime['glibc']}"
    return f"this machine's, for its GPU driver (its own, glibc {runtime['glibc']}, on machines with an older one)"
