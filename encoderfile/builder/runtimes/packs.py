"""Runtimes that were frozen elsewhere: taken out of a file, kept in the cache folder, and put into new files."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.metadata
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import encoderfile
from encoderfile.atomic import replacing
from encoderfile.builder.container_writer import copy_out
from encoderfile.builder.runtimes import cache, ownership, sources, wheel
from encoderfile.builder.runtimes.platforms import PLATFORMS, launcher, this_platform
from encoderfile.container import Container, Slice
from encoderfile.errors import ConfigError, ContainerError
from encoderfile.pack import FACTS_PATH, read, verify
from encoderfile.pack import MAGIC as PACK_MAGIC

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Pack:
    """A runtime and what it says of itself; `obstacle` is why this builder cannot use it, None where it can."""

    data: Slice
    version: str
    device: str
    platform: str
    obstacle: str | None
    in_built_file: bool = False

    @property
    def name(self) -> str:
        """The name of its file."""
        return f"encoderfile-runtime-{self.version}-{self.platform}-{self.device}.pack"


def opened(path: Path) -> Pack:
    """The runtime in a pack, in a wheel of one, or in a built file. Raises `ContainerError`, `ConfigError`."""
    try:
        with path.open("rb") as file:
            first = file.read(len(PACK_MAGIC))
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    if first[: len(PACK_MAGIC) - 1] == PACK_MAGIC[:-1]:
        return _described(Slice.whole(path))
    if first.startswith(wheel.MAGIC):
        return _described(wheel.pack_in(path))
    if not first.startswith(b"\x7fELF"):
        raise ConfigError(f"{path} is neither a runtime, which `encoderfile runtime export` writes, nor a built file")
    with Container(path) as file_:
        return dataclasses.replace(_described(file_.pack), in_built_file=True)


def _described(data: Slice) -> Pack:
    try:
        facts: dict[str, Any] = json.loads(read(data, FACTS_PATH))
        version, device, machine = (str(facts[key]) for key in ("version", "device", "machine"))
    except (ValueError, LookupError, TypeError, RecursionError, ContainerError) as error:
        raise ContainerError(f"{data.path} holds no runtime of this version of encoderfile") from error
    obstacle = None
    if version != encoderfile.__version__:
        obstacle = f"it is of encoderfile {version}, and this is {encoderfile.__version__}"
    elif facts.get("sources") != sources.digest():
        obstacle = f"it was made from other sources of encoderfile {version}"
    return Pack(data, version, device, f"linux-{machine}", obstacle)


def usable(pack: Pack, platform: str, device: str) -> cache.Runtime:
    """The runtime for a new file, after all its checksums were compared. Raises `ConfigError`, `ContainerError`."""
    path = pack.data.path
    if pack.obstacle is not None:
        raise ConfigError(f"the runtime in {path} cannot be used: {pack.obstacle}; export it again")
    if (pack.platform, pack.device) != (platform, device):
        raise ConfigError(
            f"the runtime in {path} is for {pack.platform} and {pack.device}, and the file would be for {platform} "
            f"and {device}: see --platform and --device"
        )
    verify(pack.data)
    return cache.Runtime(Slice.whole(launcher(platform)), pack.data)


def runtime(platform: str, device: str, folder: Path, say: Say) -> cache.Runtime:
    """The runtime for a new file: frozen here for this platform, imported for another. Raises `ConfigError`."""
    if platform == this_platform():
        return cache.runtime(device, folder, say)
    reasons = []
    for pack in (*imported(folder), *installed()):
        if (pack.platform, pack.device) == (platform, device):
            if pack.obstacle is None:
                return usable(pack, platform, device)
            reasons.append(f"{pack.data.path} cannot be used: {pack.obstacle}")
    if device == "cuda" and platform != PLATFORMS[0]:
        raise ConfigError(f"there is no CUDA runtime for {platform}: build with --device cpu")
    reason = f" ({'; '.join(reasons)})" if reasons else ""
    raise ConfigError(
        f"there is no runtime for {platform} and {device} here{reason}: run `encoderfile runtime export` on such a "
        "machine and `encoderfile runtime import FILE` here, or give a file that was built there with "
        "--base-binary-path"
    )


def imported(folder: Path) -> Iterator[Pack]:
    """The runtimes that were imported into the cache folder, of whatever version. Raises `ConfigError`."""
    yield from _packs(folder, "encoderfile-runtime-*.pack")


def frozen(folder: Path) -> Iterator[Pack]:
    """The runtimes that were frozen on this machine, of whatever version. Raises `ConfigError`."""
    yield from _packs(folder, "runtime-*.pack")


def _packs(folder: Path, pattern: str) -> Iterator[Pack]:
    for path in sorted(folder.glob(pattern)):
        ownership.own_file(path)
        with contextlib.suppress(ContainerError):  # of a version before there were facts
            yield opened(path)


def installed() -> Iterator[Pack]:
    """The runtimes that were installed as wheels."""
    for platform in PLATFORMS:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            for file in importlib.metadata.distribution(wheel.distribution(platform)).files or ():
                if file.suffix == ".pack":
                    yield opened(Path(str(file.locate())))


def import_pack(path: Path, folder: Path) -> Pack:
    """Keeps the runtime in `path` in the cache folder; returns it. Raises `ConfigError`, `ContainerError`."""
    pack = opened(path)
    if pack.obstacle is not None:
        raise ConfigError(f"the runtime in {path} cannot be used: {pack.obstacle}; export it again")
    verify(pack.data)
    target = ownership.own_folder(folder) / pack.name
    with replacing(target, "--cache-dir") as temporary:
        copy_out(pack.data, temporary)
        temporary.chmod(0o644)
    return opened(target)


def remove(platform: str, folder: Path) -> list[Path]:
    """Removes the runtimes for `platform` from the cache folder; returns their files. Raises `ConfigError`."""
    found = [pack.data.path for pack in (*frozen(folder), *imported(folder)) if pack.platform == platform]
    for pack in found:
        for path in (pack, pack.with_suffix(cache.RECORD_SUFFIX)):
            path.unlink(missing_ok=True)
    return found


def export(source: cache.Runtime, target: Path, *, as_wheel: bool, say: Say) -> Path:
    """Writes a runtime as a file of its own: a pack, or a wheel that holds it; returns where.

    `target` may be a folder. The same runtime gives the same bytes. Raises `ConfigError`, `ContainerError`.
    """
    pack = _described(source.pack)
    name = wheel.file_name(pack.platform, pack.version) if as_wheel else pack.name
    target = target / name if target.is_dir() else target
    with replacing(target, "--output-path", say) as temporary:
        if as_wheel:
            wheel.write(temporary, pack.data, platform=pack.platform, version=pack.version, device=pack.device)
        else:
            copy_out(pack.data, temporary)
    return target
