"""Freezes the runtime with PyInstaller, run as a process of its own, and packs it (encoderfile/pack.py)."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from encoderfile.builder.runtimes import c_library, freeze_record, sbom, sources
from encoderfile.builder.runtimes.elf import is_elf
from encoderfile.container import PAGE
from encoderfile.errors import ConfigError
from encoderfile.pack import ENTRY, FACTS_PATH, HEADER, SBOM_PATH, USES_DRIVER, header
from encoderfile.progress import waiting

_NEARLY_FULL = 1 << 20
"""Bytes left on a disk that counts as full."""


def freeze(device: str, work: Path, expected: float) -> tuple[Path, freeze_record.Json]:
    """Freezes the runtime for `device` in the folder `work`; `expected` seconds, 0 where that is not known.

    Returns the pack, and the record of what it was frozen from. Raises `ConfigError` when PyInstaller fails,
    `OSError` when `work` cannot be written.
    """
    started = time.monotonic()
    with waiting(f"freezing the {device} runtime", expected):
        found = _run_pyinstaller(device, work)
        folder, pack = work / "dist" / "runtime", work / "runtime.pack"
        oldest = oldest_libc(folder)
        libraries = c_library.add(folder)
        document = sbom.document(found, libraries, device=device, oldest_glibc=oldest)
        facts = sbom.facts(document)
        (folder / SBOM_PATH).write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")
        (folder / FACTS_PATH).write_text(json.dumps(facts, indent=1) + "\n")
        write_pack(folder, pack, oldest, USES_DRIVER if device == "cuda" else 0)
        origins = (*found["modules"], *found["originals"], *map(str, libraries))
        files = [path for path in origins if not path.startswith(str(work))]
        versions = {each["name"]: each["version"] for each in document["components"] if _is_python(each)}
        record = freeze_record.record(files, found["names"], versions)
    return pack, record | {"seconds": time.monotonic() - started}


def _is_python(component: freeze_record.Json) -> bool:
    """Whether it is a Python package, of which another version would be another runtime."""
    return str(component.get("purl", "")).startswith("pkg:pypi/")


def _run_pyinstaller(device: str, work: Path) -> dict[str, list[str]]:
    """Freezes into `work`/dist; returns what build/runtime.spec says of it."""
    log = work / "log.txt"
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level=WARN"]
    command += [
        "--distpath",
        str(work / "dist"),
        "--workpath",
        str(work / "work"),
        str(sources.recipe() / "runtime.spec"),
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
    # A process group of its own, so that every process that it starts can be ended with it.
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
        raise ConfigError(f"the runtime cannot be frozen: {explain(log)}")
    found: dict[str, list[str]] = json.loads((work / "contents.json").read_text())
    return found


def oldest_libc(folder: Path) -> str:
    """The oldest glibc that can run the libraries in `folder`: the newest symbol version that any of them needs."""
    needed = {(2, 17)}
    for path in folder.rglob("*"):
        if is_elf(path):
            found = re.findall(rb"GLIBC_(\d+)\.(\d+)", path.read_bytes())
            needed.update((int(major), int(minor)) for major, minor in found)
    return "{}.{}".format(*max(needed))


def explain(log: Path) -> str:
    """Why PyInstaller failed, in one sentence, as far as its log tells; `log` lies in the folder it worked in."""
    text = log.read_text(errors="replace") if log.exists() else ""
    if "shared library" in text and "ython" in text:
        return (
            "this Python has no shared library, which PyInstaller needs; install it "
            "(Debian and Ubuntu: libpython3-dev) or use a Python built with --enable-shared"
        )
    if "objdump is required" in text:
        return "PyInstaller needs objdump; install it (Debian and Ubuntu: binutils)"
    # On a full disk the log may not say so either.
    if os.strerror(errno.ENOSPC) in text or shutil.disk_usage(log.parent).free < _NEARLY_FULL:
        return f"no space is left in {log.parents[1]}; choose another folder with --cache-dir"
    # The end of a traceback, without the lines of code that it went through.
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith((" ", "Traceback"))]
    return "; ".join(lines[-3:]) or "PyInstaller gave no reason"


@dataclass(frozen=True, slots=True)
class _File:
    path: bytes
    mode: int
    size: int
    packed: bytes


def write_pack(folder: Path, target: Path, libc: str, flags: int = 0) -> None:
    """Packs `folder` into `target`; the same folder gives the same bytes.

    `libc` is the oldest glibc that it runs with, `flags` are those of the header.
    """
    paths = [path for path in folder.rglob("*") if path.is_symlink() or path.is_file()]
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # zlib releases the GIL
        files = list(pool.map(lambda path: _pack(path, path.relative_to(folder)), paths))
    files.sort(key=lambda file: file.path)  # the launcher finds a path by binary search
    length = sum(ENTRY.size + len(file.path) + 1 for file in files)
    offset = HEADER.size + length
    index = b""
    for file in files:
        digest = hashlib.sha256(file.packed).digest()
        index += ENTRY.pack(offset, len(file.packed), file.size, file.mode, len(file.path), digest)
        index += file.path + b"\0"
        offset += len(file.packed)
    with target.open("wb") as out:
        out.write(header(len(files), index, libc, flags) + index)
        for file in files:
            out.write(file.packed)
        out.write(bytes(-offset % PAGE))


def _pack(path: Path, name: Path) -> _File:
    if path.is_symlink():
        data = os.fsencode(path.readlink())
        return _File(os.fsencode(name), stat.S_IFLNK | 0o777, len(data), data)
    data = path.read_bytes()
    mode = stat.S_IFREG | (0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)
    compressor = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = compressor.compress(data) + compressor.flush()
    # Bytes that do not shrink are stored; the launcher tells by the two lengths being equal.
    return _File(os.fsencode(name), mode, len(data), packed if len(packed) < len(data) else data)
