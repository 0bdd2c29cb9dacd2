"""Freezes the runtime with PyInstaller, run as a process of its own, and packs it (encoderfile/pack.py)."""

from __future__ import annotations

import errno
import json
import mmap
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from encoderfile.builder.runtimes import c_library, elf, freeze_record, sbom, sources
from encoderfile.builder.runtimes.pack_writer import write_pack
from encoderfile.errors import ConfigError
from encoderfile.model.device import CUDA_LIBRARY, DRIVER
from encoderfile.pack import FACTS_PATH, SBOM_PATH, USES_DRIVER
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
        cuda = _needed_of_cuda(folder)
        document = sbom.document(found, libraries, device=device, oldest_glibc=oldest, cuda_libraries=cuda)
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
        if elf.is_elf(path):
            found = re.findall(rb"GLIBC_(\d+)\.(\d+)", path.read_bytes())
            needed.update((int(major), int(minor)) for major, minor in found)
    return "{}.{}".format(*max(needed))


def _needed_of_cuda(folder: Path) -> list[str]:
    """The libraries of CUDA that the provider in the frozen runtime needs; none in one for the CPU."""
    provider = next(folder.rglob(CUDA_LIBRARY), None)
    if provider is None:
        return []
    with provider.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as data:
        return sorted(name for name in elf.needed(data) if name.startswith("libcu") and name != DRIVER)


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
