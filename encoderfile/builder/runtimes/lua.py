"""Lua for a file with a transform: lupa's extension module, packed apart from the runtime, which most files share."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
import tempfile
from pathlib import Path

from encoderfile.builder.container_writer import Part
from encoderfile.builder.install_command import install_command
from encoderfile.builder.runtimes import sbom
from encoderfile.builder.runtimes.pack_writer import write_files
from encoderfile.builder.runtimes.packs import Pack
from encoderfile.builder.runtimes.platforms import this_platform
from encoderfile.container import Container, Slice
from encoderfile.errors import ConfigError
from encoderfile.manifest import LUA
from encoderfile.pack import COMPONENTS_PATH, entries, verify

_MODULE = "lupa.lua54"
_VERSION = re.compile(rb"\$LuaVersion: Lua (\d+\.\d+\.\d+) ")
_OLDEST_GLIBC = "2.17"
"""That of lupa's wheels."""


def require(platform: str, base: Pack | None) -> None:
    """Raises `ConfigError` where a file for `platform` could not get Lua, from here or from `base`, a built file."""
    if _in(base) is None and platform != this_platform():
        raise ConfigError(
            f"a transform needs Lua for {platform}, which is not here: build on such a machine, or give a file that "
            "was built there with a transform as --base-binary-path"
        )


def require_installed() -> None:
    """Raises `ConfigError` where lupa is not, which tries scripts."""
    if importlib.util.find_spec("lupa") is None:
        raise ConfigError(f"a transform needs the package lupa: run `{install_command('lupa')}`")


def part(base: Pack | None, runtime: Slice) -> Part:
    """The pack for a file with this `runtime`: of `base` where that is a built file that has one, else made now.

    Raises `ConfigError` where it does not fit the runtime's Python.
    """
    found = _in(base)
    if found is not None:
        verify(found)
        _check(found, runtime)
        return Part(LUA, slices=[Slice(found.path, found.offset, found.length)], length=found.length)
    with tempfile.TemporaryDirectory() as work:
        made = Path(work, "pack")
        _write(made)
        _check(Slice.whole(made), runtime)
        return Part(LUA, made.read_bytes())


def check_kept(file: Container, runtime: Slice) -> None:
    """Raises `ConfigError` where the Lua in a built file does not fit another runtime."""
    artifact = file.manifest.artifact(LUA)
    if artifact is not None:
        _check(file.slice_of(artifact), runtime)


def _in(base: Pack | None) -> Slice | None:
    """Where a built file has Lua; None for other files."""
    if base is None or not base.in_built_file:
        return None
    with Container(base.data.path) as file:
        artifact = file.manifest.artifact(LUA)
        return None if artifact is None else file.slice_of(artifact)


def _write(target: Path) -> None:
    spec = importlib.util.find_spec(_MODULE)
    if spec is None or spec.origin is None:
        raise ConfigError(f"the installed lupa has no Lua 5.4: run `{install_command('--force-reinstall', 'lupa')}`")
    extension = Path(spec.origin)
    version = _VERSION.search(extension.read_bytes())
    parts = [sbom.package("lupa", extension.stat().st_size)]
    parts.append(
        {
            "type": "library",
            "name": "lua",
            "version": version[1].decode() if version else "5.4",
            "licenses": [{"license": {"id": "MIT"}}],
            "description": "compiled into lupa",
        }
    )
    components = target.with_name("components.json")
    components.write_text(json.dumps(parts, indent=1) + "\n")
    write_files({extension.name: extension, COMPONENTS_PATH: components}, target, _OLDEST_GLIBC)


def _check(pack: Slice, runtime: Slice) -> None:
    wanted = sbom.python_of(runtime)
    names = [entry.path for entry in entries(pack)]
    if not any(f"cpython-{wanted.replace('.', '')}-" in name for name in names):
        raise ConfigError(
            f"the runtime has Python {wanted}, and the Lua for the transform is for another (this is "
            f"{sys.version_info.major}.{sys.version_info.minor}): build the file again with one Python"
        )
