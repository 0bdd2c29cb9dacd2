"""The runtime: frozen by PyInstaller once per builder version and device, packed, and kept in the cache folder."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import encoderfile
from encoderfile.builder import inventory, pack
from encoderfile.container import Slice
from encoderfile.errors import ConfigError
from encoderfile.manifest import SBOM_PATH
from encoderfile.model.device import CUDA_LIBRARY, provider_folder

_BUILDER_ONLY = ("builder", "cli")

SBOM_SUFFIX = ".sbom.json"
_UNUSED_SECONDS = 30 * 24 * 3600


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
    packed = cache / f"runtime-{encoderfile.__version__}-{device}-{_fingerprint(device)}.pack"
    program = launcher()
    with _locked(packed):
        if not packed.is_file():
            say(f"freezing the {device} runtime, once for this version (a minute or two)")
            _freeze(device, packed)
            _prune(cache)
        os.utime(packed)
    return Runtime(Slice.whole(program), Slice.whole(packed), packed.with_suffix(SBOM_SUFFIX))


def _prune(cache: Path) -> None:
    """Removes packs that no build has used for a month."""
    for pack_file in cache.glob("runtime-*.pack"):
        if pack_file.stat().st_mtime < time.time() - _UNUSED_SECONDS:
            for path in (pack_file, pack_file.with_suffix(SBOM_SUFFIX), pack_file.with_suffix(".lock")):
                path.unlink(missing_ok=True)


def launcher() -> Path:
    """The launcher compiled for this machine. Raises `ConfigError` where there is none."""
    platform_name = f"{sys.platform}-{platform.machine()}"
    path = Path(__file__).with_name("launcher") / platform_name
    if not path.is_file():
        known = ", ".join(sorted(each.name for each in path.parent.glob("*-*")))
        raise ConfigError(f"files cannot be built on {platform_name}, only on {known}")
    return path


def _fingerprint(device: str) -> str:
    """Changes whenever what is frozen would: Python, installed versions, recipe, or our own sources that ship."""
    installed = sorted(f"{each.name} {each.version}" for each in importlib.metadata.distributions())
    digest = hashlib.sha256(json.dumps([device, sys.version, platform.machine(), installed]).encode())
    package = Path(encoderfile.__file__).parent
    sources = [
        path for path in sorted(package.rglob("*.py")) if path.relative_to(package).parts[0] not in _BUILDER_ONLY
    ]
    for path in (*sources, *sorted(_recipe().glob("*.*"))):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _recipe() -> Path:
    """`build/` of the checkout, or its copy inside an installed package."""
    installed = Path(__file__).with_name("recipe")
    return installed if installed.is_dir() else Path(__file__).parents[2] / "build"


@contextlib.contextmanager
def _locked(target: Path) -> Iterator[None]:
    """One process freezes, the others wait for it."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        lock = target.with_suffix(".lock").open("w")
    except OSError as error:
        raise ConfigError(
            f"cannot write into the cache folder {target.parent}: {error.strerror}; set ENCODERFILE_CACHE_DIR"
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _freeze(device: str, target: Path) -> None:
    """Runs PyInstaller in a folder of its own (it would write into ./build) and packs what it made."""
    with tempfile.TemporaryDirectory(prefix="freeze-", dir=target.parent) as scratch:
        work = Path(scratch)
        log = work / "log.txt"
        command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level=WARN"]
        command += [
            "--distpath",
            str(work / "dist"),
            "--workpath",
            str(work / "work"),
            str(_recipe() / "runtime.spec"),
        ]
        environment = {
            **os.environ,
            "ENCODERFILE_FREEZE_DEVICE": device,
            "ENCODERFILE_FREEZE_CONTENTS": str(work / "contents.json"),
            "PYINSTALLER_CONFIG_DIR": str(work / "config"),
            # The same inputs give the same archive: no time of day, no random order of sets.
            "SOURCE_DATE_EPOCH": "315532800",
            "PYTHONHASHSEED": "0",
        }
        try:
            with log.open("wb") as output:
                subprocess.run(command, check=True, stdout=output, stderr=output, env=environment, cwd=work)
            folder, made, sbom = work / "dist" / "runtime", work / "runtime.pack", work / "sbom.json"
            libc = oldest_libc(folder)
            document = inventory.document(json.loads((work / "contents.json").read_text()), device=device, libc=libc)
            sbom.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")
            shutil.copyfile(sbom, folder / SBOM_PATH)
            pack.write(folder, made, libc)
            sbom.rename(target.with_suffix(SBOM_SUFFIX))
            made.rename(target)
        except (subprocess.CalledProcessError, OSError) as error:
            raise ConfigError(f"the runtime cannot be frozen: {_explain(log)}") from error


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
    lines = [line for line in text.splitlines() if line.strip()]
    return "; ".join(lines[-3:]) or "PyInstaller gave no reason"
