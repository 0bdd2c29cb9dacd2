"""What a built file says of itself and of its model, read without running it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from encoderfile.api.failures import explained
from encoderfile.container import Container
from encoderfile.errors import ContainerError
from encoderfile.manifest import TRANSFORM


@final
@dataclass(frozen=True, slots=True)
class EncoderfileConfig:
    """What the build was told, or found out. `lua_libs` are the libraries of Lua that the transform may use."""

    name: str
    version: str
    model_type: str
    transform: str | None
    lua_libs: list[str] | None


@final
@dataclass(frozen=True, slots=True)
class ModelConfig:
    """From the model's config.json; None for what is not in it. `model_type` is its architecture, such as `bert`."""

    model_type: str
    num_labels: int | None
    id2label: dict[int, str] | None
    label2id: dict[str, int] | None


@final
@dataclass(frozen=True, slots=True)
class InspectInfo:
    """What `read_metadata` returns."""

    model_config: ModelConfig
    encoderfile_config: EncoderfileConfig


def read_metadata(path: str | os.PathLike[str]) -> InspectInfo:
    """Reads the built file at `path`, whose model is not loaded.

    Raises `FileNotFoundError` where there is no file, `ValueError` for another file or a damaged one.
    """
    with explained(), Container(Path(path)) as container:
        return InspectInfo(_model_config(container), encoderfile_config(container))


def encoderfile_config(container: Container) -> EncoderfileConfig:
    """Of an open file."""
    manifest = container.manifest
    script = None if manifest.artifact(TRANSFORM) is None else container.read(TRANSFORM).decode(errors="replace")
    libraries = None if manifest.lua_libs is None else list(manifest.lua_libs)
    return EncoderfileConfig(manifest.name, manifest.version, manifest.model_type, script, libraries)


def config_json(container: Container) -> dict[str, Any]:
    """The model's config.json; empty where it has none. Raises `ContainerError` for one that cannot be read."""
    if container.manifest.artifact("config.json") is None:
        return {}
    try:
        found = json.loads(container.read("config.json"))
    except (ValueError, RecursionError) as error:
        raise ContainerError(f"{container.path} has an invalid config.json: build it again") from error
    if not isinstance(found, dict):
        raise ContainerError(f"{container.path} has an invalid config.json: build it again")
    return found


def _model_config(container: Container) -> ModelConfig:
    config = config_json(container)
    labels = container.manifest.id2label
    id2label = dict(labels) if labels is not None else _id2label(config.get("id2label"))
    number = config.get("num_labels")
    if not isinstance(number, int):
        number = None if id2label is None else len(id2label)
    return ModelConfig(str(config.get("model_type", "")), number, id2label, _label2id(config.get("label2id")))


def _id2label(value: object) -> dict[int, str] | None:
    """None for what maps no numbers: a model without labels may have anything there."""
    if not isinstance(value, Mapping) or not all(str(index).isdecimal() for index in value):
        return None
    return {int(index): str(label) for index, label in value.items()}


def _label2id(value: object) -> dict[str, int] | None:
    if not isinstance(value, Mapping) or not all(isinstance(index, int) for index in value.values()):
        return None
    return {str(label): index for label, index in value.items()}
