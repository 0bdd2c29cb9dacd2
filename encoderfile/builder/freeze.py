"""The runtime: frozen by PyInstaller once per builder version and device, packed, and kept in the cache folder."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import importlib.metadata
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import encoderfile
from encoderfile.builder import contents, inventory, pack, trust
from encoderfile.container import Slice
from encoderfile.errors import ConfigError, ContainerError
from encoderfile.manifest import SBOM_PATH
from encoderfile.model.device import CUDA_LIBRARY, provider_folder
from encoderfile.pack import verify
from encoderfile.progress import waiting

_BUILDER_ONLY = ("builder", "cli")
_RECIPE = ("runtime.spec", "entry.py", "hollow_mcp.py")
_MAKERS = ("contents.py", "freeze.py", "inventory.py", "pack.py")
"""Of the builder's own files those that make a pack."""
_FREEZERS = ("pyinstaller", "pyinstaller-hooks-contrib", "altgraph")

SBOM_SUFFIX = ".sbom.json"
CONTENTS_SUFFIX = ".contents.json"
_UNUSED_SECONDS = 30 * 24 * 3600
_NEW_SECONDS = 60
_FULL = 1 << 20
"""Bytes left on a disk that is full."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """What every file of one builder version and device shares; `sbom` lists what is in the pack (CycloneDX JSON)."""

    launcher: Slice
    pack: Slice
    sbom: Path


def cache_folder(wanted: Path | None) -> Path:
    """`wanted`, else `ENCODERFILE_CACHE_DIR`, else `encoderfile` in the user's cache folder. Raises `ConfigError`."""
    if wanted is not None:
        return wanted
    variable = os.environ.get("ENCODERFILE_CACHE_DIR")
    if variable:
        return Path(variable)
    base = os.environ.get("XDG_CACHE_HOME")
    if base:
        return Path(base) / "encoderfile"
    try:
        return Path.home() / ".cache" / "encoderfile"
    except RuntimeError as error:
        raise ConfigError(
            "there is no home folder: set ENCODERFILE_CACHE_DIR to a folder that can be written"
        ) from error


def runtime(device: str, cache: Path, say: Callable[[str], None]) -> Runtime:
    """The frozen runtime for `device` (`cpu` or `cuda`), from the cache or made now.

    Raises `ConfigError` when it cannot be made here.
    """
    if device == "cuda" and not (provider_folder() / CUDA_LIBRARY).exists():
        raise ConfigError(
            "--device cuda needs onnxruntime's CUDA provider, which is not installed: "
            "`pip install onnxruntime-gpu` on Linux or Windows, x86-64"
        )
    program = launcher()
    cache = _own(cache)
    stem = f"runtime-{encoderfile.__version__}-{device}-{_fingerprint(device)}"
    with _locked(cache / f"{stem}.lock", say):
        packed, why = _kept(cache, stem)
        if packed is None:
            reason = f", {why}" if why else ", once for this version"
            say(f"freezing the {device} runtime{reason} (a minute or two)")
            _prune(cache)
            packed = _freeze(device, cache, stem)
        with contextlib.suppress(OSError):  # root's, which is his to tidy away
            os.utime(packed)
    return Runtime(Slice.whole(program), Slice.whole(packed), packed.with_suffix(SBOM_SUFFIX))


def _kept(cache: Path, stem: str) -> tuple[Path | None, str]:
    """A whole pack in the cache whose files are all as they were; else None, and what changed since the last one.

    Raises `ConfigError` for one that somebody else made or can change.
    """
    why = ""
    for packed in sorted(cache.glob(f"{stem}-*.pack"), key=lambda path: path.stat().st_mtime, reverse=True):
        for path in (packed, packed.with_suffix(CONTENTS_SUFFIX), packed.with_suffix(SBOM_SUFFIX)):
            if os.path.lexists(path):
                trust.own_file(path)
        record = _record(packed)
        if record is None or not packed.with_suffix(SBOM_SUFFIX).is_file():
            continue
        seen = dict(record["seen"])
        change = next(contents.changes(record), None)
        if change is None:
            change = _damage(packed)
        if change is None:
            if record["seen"] != seen:
                _write_record(packed, record)
            return packed, ""
        why = why or f"because {change}"
    return None, why


def _damage(packed: Path) -> str | None:
    """What is wrong with the bytes of a pack; they would be copied into every file."""
    try:
        verify(Slice.whole(packed))
    except ContainerError:
        return f"{packed} is damaged"
    return None


def _record(packed: Path) -> contents.Json | None:
    """What a pack was frozen from; None where that is not known, as of packs of older builders."""
    try:
        record: contents.Json = json.loads(packed.with_suffix(CONTENTS_SUFFIX).read_bytes())
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and record.keys() >= contents.KEYS else None


def _write_record(packed: Path, record: contents.Json) -> None:
    target = packed.with_suffix(CONTENTS_SUFFIX)
    temporary = target.with_suffix(".tmp")
    temporary.write_text(json.dumps(record))
    _move(temporary, target)


def _move(temporary: Path, target: Path) -> None:
    """Puts a new file in the cache, which nobody else may write, whatever the umask says."""
    temporary.chmod(temporary.stat().st_mode & ~0o022)
    temporary.rename(target)


def _prune(cache: Path) -> None:
    """Removes packs that no build has used for a month, and what is left of builds that were killed."""
    for folder in cache.glob("freeze-*"):
        with contextlib.suppress(OSError), _held(folder):
            if folder.stat().st_mtime < time.time() - _NEW_SECONDS:  # else it may be about to be held
                shutil.rmtree(folder, ignore_errors=True)
    for pack_file in cache.glob("runtime-*.pack"):
        if pack_file.stat().st_mtime < time.time() - _UNUSED_SECONDS:
            for path in cache.glob(f"{pack_file.stem}.*"):
                path.unlink(missing_ok=True)


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Says that this process works in `folder`, for as long as it lives. Raises `OSError` where another does."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def launcher() -> Path:
    """The launcher compiled for this machine. Raises `ConfigError` where there is none."""
    platform_name = f"{sys.platform}-{platform.machine()}"
    path = Path(__file__).with_name("launcher") / platform_name
    if not path.is_file():
        known = ", ".join(sorted(each.name for each in path.parent.glob("*-*")))
        raise ConfigError(f"files cannot be built on {platform_name}, only on {known}")
    return path


def _fingerprint(device: str) -> str:
    """Changes with Python, with what freezes, with the recipe, and with our own sources that ship."""
    freezers = [f"{name} {importlib.metadata.version(name)}" for name in _FREEZERS]
    facts = [device, sys.version, platform.machine(), freezers, shutil.which("strip") is not None]
    digest = hashlib.sha256(json.dumps(facts).encode())
    package = Path(encoderfile.__file__).parent
    sources = [
        path for path in sorted(package.rglob("*.py")) if path.relative_to(package).parts[0] not in _BUILDER_ONLY
    ]
    recipe = [*(_recipe() / name for name in _RECIPE), *(Path(__file__).with_name(name) for name in _MAKERS)]
    for path in (*sources, *recipe, inventory.LAUNCHER_PARTS):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _recipe() -> Path:
    """`build/` of the checkout, or its copy inside an installed package."""
    installed = Path(__file__).with_name("recipe")
    return installed if installed.is_dir() else Path(__file__).parents[2] / "build"


def _own(cache: Path) -> Path:
    """The cache folder, made where it is missing. Raises `ConfigError` where it is not ours, or cannot be made."""
    try:
        return trust.own_folder(cache)
    except (OSError, RuntimeError) as error:  # a circle of links is a RuntimeError before Python 3.13
        raise _unwritable(cache, error) from error


def _unwritable(cache: Path, error: OSError | RuntimeError) -> ConfigError:
    reason = error.strerror if isinstance(error, OSError) else "its links lead in a circle"
    return ConfigError(
        f"cannot write into the cache folder {cache}: {reason}; "
        "choose another with --cache-dir or ENCODERFILE_CACHE_DIR"
    )


@contextlib.contextmanager
def _locked(lock_file: Path, say: Callable[[str], None]) -> Iterator[None]:
    """One process freezes, the others wait for it."""
    try:
        lock = lock_file.open("w")
    except OSError as error:
        raise _unwritable(lock_file.parent, error) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another build, which freezes the runtime")
            with waiting("waiting"):
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _freeze(device: str, cache: Path, stem: str) -> Path:
    """Runs PyInstaller in a folder of its own (it would write into ./build) and packs what it made: the pack."""
    started = time.monotonic()
    expected = max((_seconds(packed) for packed in cache.glob("runtime-*.pack")), default=0)
    log = None
    try:
        with tempfile.TemporaryDirectory(prefix="freeze-", dir=cache) as scratch, _held(Path(scratch)):
            work = Path(scratch)
            log = work / "log.txt"
            try:
                with waiting(f"freezing the {device} runtime", expected):
                    found = _run_pyinstaller(device, work, log)
                    folder, made, sbom = work / "dist" / "runtime", work / "runtime.pack", work / "sbom.json"
                    libc = oldest_libc(folder)
                    document = inventory.document(found, device=device, libc=libc)
                    sbom.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")
                    shutil.copyfile(sbom, folder / SBOM_PATH)
                    pack.write(folder, made, libc)
                    files = [
                        path for path in (*found["modules"], *found["originals"]) if not path.startswith(scratch)
                    ]
                    versions = {each["name"]: each["version"] for each in document["components"] if "purl" in each}
                    record = contents.record(files, found["names"], versions)
            except subprocess.CalledProcessError as error:
                raise ConfigError(f"the runtime cannot be frozen: {_explain(log)}") from error
            record["seconds"] = time.monotonic() - started
            files_sum = hashlib.sha256(json.dumps([record["files"], versions], sort_keys=True).encode()).hexdigest()
            target = cache / f"{stem}-{files_sum[:8]}.pack"
            _move(sbom, target.with_suffix(SBOM_SUFFIX))
            _write_record(target, record)
            _move(made, target)
            return target
    except OSError as error:
        raise ConfigError(
            f"the runtime cannot be frozen in {cache} ({error.strerror}): choose another folder with --cache-dir"
        ) from error


def _seconds(packed: Path) -> float:
    """How long an earlier pack took."""
    seconds = (_record(packed) or {}).get("seconds", 0)
    return float(seconds) if isinstance(seconds, int | float) else 0


def _run_pyinstaller(device: str, work: Path, log: Path) -> dict[str, list[str]]:
    """Freezes into `work`/dist; returns what build/runtime.spec says of it. Raises `CalledProcessError`."""
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level=WARN"]
    command += ["--distpath", str(work / "dist"), "--workpath", str(work / "work"), str(_recipe() / "runtime.spec")]
    environment = {
        **os.environ,
        "ENCODERFILE_FREEZE_DEVICE": device,
        "ENCODERFILE_FREEZE_CONTENTS": str(work / "contents.json"),
        "PYINSTALLER_CONFIG_DIR": str(work / "config"),
        # The same inputs give the same archive: no time of day, no random order of sets.
        "SOURCE_DATE_EPOCH": "315532800",
        "PYTHONHASHSEED": "0",
    }
    # A session of its own, so that all that it starts can be ended with it.
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command, stdout=output, stderr=output, env=environment, cwd=work, start_new_session=True
        ) as process,
    ):
        try:
            code = process.wait()
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    if code != 0:
        raise subprocess.CalledProcessError(code, command)
    found: dict[str, list[str]] = json.loads((work / "contents.json").read_text())
    return found


def oldest_libc(folder: Path) -> str:
    """The newest glibc symbol version that any library in `folder` asks for: the oldest glibc that can run it."""
    asked = {(2, 17)}
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink() and path.read_bytes()[:4] == b"\x7fELF":
            found = re.findall(rb"GLIBC_(\d+)\.(\d+)", path.read_bytes())
            asked.update((int(major), int(minor)) for major, minor in found)
    return "{}.{}".format(*max(asked))


def _explain(log: Path) -> str:
    text = log.read_text(errors="replace") if log.exists() else ""
    if "shared library" in text and "ython" in text:
        return (
            "this Python has no shared library, which PyInstaller needs; install it "
            "(Debian and Ubuntu: libpython3-dev) or use a Python built with --enable-shared"
        )
    # On a full disk the log may not say so either.
    if os.strerror(errno.ENOSPC) in text or shutil.disk_usage(log.parent).free < _FULL:
        return f"no space is left in {log.parents[1]}; choose another folder with --cache-dir"
    # The end of a traceback, without the places in the code that it went through.
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith((" ", "Traceback"))]
    return "; ".join(lines[-3:]) or "PyInstaller gave no reason"
