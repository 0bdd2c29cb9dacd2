"""The frozen runtime this process runs from: its folder, its size, what it is made of."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from encoderfile.container import Container
from encoderfile.errors import ConfigError, ContainerError
from encoderfile.manifest import PACKS
from encoderfile.pack import FACTS_PATH, sbom_of
from encoderfile.runtime import c_library, unpacking


def folder() -> Path:
    """Where the launcher unpacked the runtime. Raises `ConfigError` outside a built file."""
    if not getattr(sys, "frozen", False):
        raise ConfigError("this needs a built file: it runs from an installed package")
    return Path(sys.executable).parent


def sbom(executable: Path) -> str:
    """What the file is made of beside its model, CycloneDX JSON."""
    with Container(executable) as container:
        return sbom_of(container)


def facts() -> dict[str, Any]:
    """What `info` says of the runtime: where it lies, bytes it takes, what it was frozen for and from."""
    try:
        facts: dict[str, Any] = json.loads((folder() / FACTS_PATH).read_bytes())
    except (OSError, ValueError) as error:
        raise ContainerError(f"{folder()} is damaged: remove it, and the next start unpacks it again") from error
    return {
        "version": facts.pop("version"),
        "folder": str(folder()),
        "size": sum(path.lstat().st_size for path in folder().rglob("*") if path.is_file()),
        "c_library": "own" if c_library.is_own() else "host",
        **facts,
    }


def unpack(executable: Path, target: Path) -> Path:
    """Copies the file and its unpacked runtime to `target`, where it starts without a cache folder; returns its path.

    Raises `ConfigError` for a folder that is not empty or cannot be written.
    """
    beside = unpacking.places(executable, PACKS)
    sources = [folder(), *(unpacking.folder(place, "what belongs to the runtime") for place in beside)]
    try:
        if target.exists() and any(target.iterdir()):
            raise ConfigError(f"{target} is not empty: give a new folder")
        target.mkdir(parents=True, exist_ok=True)
        for source in sources:
            shutil.copytree(source, target / ".encoderfile" / source.name, symlinks=True)
        return Path(shutil.copy2(executable, target / executable.name))
    except OSError as error:
        raise ConfigError(f"cannot write into {target}: {error.strerror or error}") from error
