"""Frozen runtimes in the cache folder: which one can be used again, and when a new one is made."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.metadata
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import encoderfile
from encoderfile.builder.install_command import install_command
from encoderfile.builder.runtimes import freeze, freeze_record, ownership, sources
from encoderfile.builder.runtimes.platforms import LAUNCHER_PARTS, launcher, this_platform
from encoderfile.container import Slice
from encoderfile.errors import ConfigError, ContainerError
from encoderfile.model.device import CUDA_LIBRARY, provider_folder
from encoderfile.pack import verify
from encoderfile.progress import waiting

_MAKERS = (
    "c_library.py",
    "elf.py",
    "freeze.py",
    "freeze_record.py",
    "pack_writer.py",
    "sbom.py",
    "system_libraries.py",
)
"""The builder's own files that make a pack."""
_FREEZERS = ("pyinstaller", "pyinstaller-hooks-contrib", "altgraph")

RECORD_SUFFIX = ".contents.json"
_UNUSED_SECONDS = 30 * 24 * 3600
_NEW_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Runtime:
    """What every file of one builder version and device shares."""

    launcher: Slice
    pack: Slice


def cache_folder(given: Path | None) -> Path:
    """`given`, else `ENCODERFILE_CACHE_DIR`, else `encoderfile` in the user's cache folder. Raises `ConfigError`."""
    if given is not None:
        return given
    if variable := os.environ.get("ENCODERFILE_CACHE_DIR"):
        return Path(variable)
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "encoderfile"
    try:
        return Path.home() / ".cache" / "encoderfile"
    except RuntimeError as error:
        raise ConfigError("there is no home folder: set ENCODERFILE_CACHE_DIR to a writable folder") from error


def runtime(device: str, cache: Path, say: Callable[[str], None]) -> Runtime:
    """The frozen runtime for `device` (`cpu` or `cuda`), from the cache or made now.

    Raises `ConfigError` when it cannot be made here.
    """
    if device == "cuda" and not (provider_folder() / CUDA_LIBRARY).exists():
        raise ConfigError(
            "--device cuda needs onnxruntime's CUDA provider, which is not installed: "
            f"`{install_command('onnxruntime-gpu')}` on Linux or Windows, x86-64"
        )
    program = launcher(this_platform())
    cache = own_cache(cache)
    stem = f"runtime-{encoderfile.__version__}-{device}-{fingerprint(device)}"
    with locked(cache / f"{stem}.lock", say):
        pack, change = _reusable(cache, stem)
        if pack is None:
            reason = f"because {change}" if change else "once for this version"
            say(f"freezing the {device} runtime, {reason} (a minute or two)")
            _prune(cache)
            pack = _freeze(device, cache, stem)
        with contextlib.suppress(OSError):  # root's file; only root can mark it as used
            os.utime(pack)
    return Runtime(Slice.whole(program), Slice.whole(pack))


def own_cache(cache: Path) -> Path:
    """The cache folder, made where it is missing. Raises `ConfigError` where others can change it, or none can."""
    try:
        return ownership.own_folder(cache)
    except (OSError, RuntimeError) as error:  # a circle of links is a RuntimeError before Python 3.13
        raise _unwritable(cache, error) from error


def fingerprint(device: str) -> str:
    """Changes with Python, PyInstaller, the recipe, and our own sources that ship."""
    freezers = [f"{name} {importlib.metadata.version(name)}" for name in _FREEZERS]
    facts = [device, sys.version, platform.machine(), freezers, shutil.which("strip") is not None, sources.digest()]
    digest = hashlib.sha256(json.dumps(facts).encode())
    for path in (*(Path(__file__).with_name(name) for name in _MAKERS), LAUNCHER_PARTS):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _reusable(cache: Path, stem: str) -> tuple[Path | None, str]:
    """An undamaged pack in the cache that was frozen from the same files; else None, and what changed since.

    Raises `ConfigError` for one that another user made or can change.
    """
    reason = ""
    for pack in sorted(cache.glob(f"{stem}-*.pack"), key=lambda path: path.stat().st_mtime, reverse=True):
        for path in (pack, pack.with_suffix(RECORD_SUFFIX)):
            if os.path.lexists(path):
                ownership.own_file(path)
        record = _record(pack)
        if record is None:
            continue
        seen = dict(record["seen"])
        change = next(freeze_record.changes(record), None)
        if change is None:
            try:
                verify(Slice.whole(pack))  # its bytes would be copied into every file
            except ContainerError:
                change = f"{pack} is damaged"
        if change is None:
            if record["seen"] != seen:
                with contextlib.suppress(OSError):  # root's folder; the next build reads the files again
                    _write_record(pack, record)
            return pack, ""
        reason = reason or change
    return None, reason


def _record(pack: Path) -> freeze_record.Json | None:
    """What a pack was frozen from; None where that is not known."""
    try:
        record: freeze_record.Json = json.loads(pack.with_suffix(RECORD_SUFFIX).read_bytes())
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and record.keys() >= freeze_record.KEYS else None


def _write_record(pack: Path, record: freeze_record.Json) -> None:
    target = pack.with_suffix(RECORD_SUFFIX)
    temporary = target.with_suffix(".tmp")
    temporary.write_text(json.dumps(record))
    move(temporary, target)


def move(temporary: Path, target: Path) -> None:
    """Puts a new file into the cache, writable by its owner alone, whatever the umask says."""
    temporary.chmod(temporary.stat().st_mode & ~0o022)
    temporary.rename(target)


def _freeze(device: str, cache: Path, stem: str) -> Path:
    """Freezes in a folder of its own (PyInstaller would write into ./build) and moves the pack into the cache."""
    seconds = [(_record(pack) or {}).get("seconds", 0) for pack in cache.glob("runtime-*.pack")]
    expected = max((float(each) for each in seconds if isinstance(each, int | float)), default=0)
    try:
        with tempfile.TemporaryDirectory(prefix="freeze-", dir=cache) as work, held(Path(work)):
            pack, record = freeze.freeze(device, Path(work), expected)
            made_from = json.dumps([record["files"], record["versions"]], sort_keys=True)
            target = cache / f"{stem}-{hashlib.sha256(made_from.encode()).hexdigest()[:8]}.pack"
            _write_record(target, record)
            move(pack, target)
            return target
    except OSError as error:
        raise ConfigError(
            f"the runtime cannot be frozen in {cache} ({error.strerror}): choose another folder with --cache-dir"
        ) from error


def _prune(cache: Path) -> None:
    """Removes packs that no build has used for a month, and what killed builds left behind."""
    for folder in cache.glob("freeze-*"):
        with contextlib.suppress(OSError), held(folder):
            if folder.stat().st_mtime < time.time() - _NEW_SECONDS:  # a newer one may be about to be held
                shutil.rmtree(folder, ignore_errors=True)
    for pack in (*cache.glob("runtime-*.pack"), *cache.glob("cu*-libraries-*.pack")):
        if pack.stat().st_mtime < time.time() - _UNUSED_SECONDS:
            for path in cache.glob(f"{pack.stem}.*"):
                path.unlink(missing_ok=True)


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Marks `folder` as in use while this process lives. Raises `OSError` where another process uses it."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def locked(lock_file: Path, say: Callable[[str], None]) -> Iterator[None]:
    """One process freezes, the others wait for it; those that can only read, as in root's folder, side by side."""
    kind = fcntl.LOCK_EX
    try:
        lock = lock_file.open("w")
    except OSError as error:
        if not os.access(lock_file, os.R_OK):
            raise _unwritable(lock_file.parent, error) from error
        lock, kind = lock_file.open(), fcntl.LOCK_SH
    with lock:
        try:
            fcntl.flock(lock, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another build that freezes the runtime")
            with waiting("waiting"):
                fcntl.flock(lock, kind)
        yield


def _unwritable(cache: Path, error: OSError | RuntimeError) -> ConfigError:
    reason = error.strerror if isinstance(error, OSError) else "its links lead in a circle"
    return ConfigError(
        f"cannot write into the cache folder {cache}: {reason}; "
        "choose another with --cache-dir or ENCODERFILE_CACHE_DIR"
    )
