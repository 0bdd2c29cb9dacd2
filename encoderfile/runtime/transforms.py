"""The transform of this file: its script, and Lua, which the file brings and unpacks when it is loaded."""

from __future__ import annotations

import sys
from pathlib import Path

from encoderfile.container import Container
from encoderfile.errors import ConfigError, ContainerError
from encoderfile.manifest import LUA, LUA_LIBS, TRANSFORM
from encoderfile.runtime import unpacking
from encoderfile.tasks import TASKS
from encoderfile.transforms.transform import Transform


def opened(container: Container) -> Transform:
    """For a file that has one. Raises `ContainerError`, or `ConfigError` where Lua cannot be loaded."""
    manifest = container.manifest
    task = TASKS.get(manifest.model_type)
    if task is None or task.transform is None or not set(manifest.lua_libs or ()) <= set(LUA_LIBS):
        raise ContainerError(f"the transform of {container.path} is not known to this version of encoderfile")
    source = container.read(TRANSFORM).decode()
    try:
        return Transform(source, manifest.lua_libs or (), task.transform, _extension(container.path))
    except ImportError as error:
        raise ConfigError(f"the Lua of this file cannot be loaded: {error}") from error


def _extension(executable: Path) -> Path | None:
    """lupa's extension module; None: the installed one, which fits the Python that runs this."""
    if not getattr(sys, "frozen", False):
        return None
    for place in unpacking.places(executable, (LUA,)):
        return next(unpacking.folder(place, "the Lua").glob("*.so"))
    return None
