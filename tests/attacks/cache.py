"""Damage to the file and to its unpacked runtime, and neighbours who write into its cache."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from attacks.attack import Files, OnFile
from encoderfile.container import Container

_PATIENCE = 60
_VICTIM, _NEIGHBOUR = 61235, 61236


def _run(
    file: Path, cache: Path, *words: str, user: int | None = None, **env: str
) -> subprocess.CompletedProcess[str]:
    prefix = []
    if user is not None:
        prefix = ["setpriv", "--reuid", str(user), "--regid", str(user), "--clear-groups"]
    environment = {"PATH": os.defpath, **(env if env else {"ENCODERFILE_CACHE_DIR": str(cache)})}
    return subprocess.run(
        [*prefix, str(file), *(words or ("info",))],
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=_PATIENCE,
    )


def _flipped_bits(files: Files) -> Sequence[str]:
    """Bits of header, index and footer: each run ends with a sentence or is right, and good files still start."""
    whole = files.embed.read_bytes()
    with Container(files.embed) as container:
        start = container.pack.offset
    dice = random.Random(3)
    places = [*range(start, start + 80), *(start + 80 + dice.randrange(8000) for _ in range(40))]
    places += [len(whole) - 1 - back for back in range(88)]
    cache = files.folder / "flipped-cache"
    faults = []
    damaged = files.folder / "damaged"
    damaged.write_bytes(whole)
    damaged.chmod(0o755)
    for place in places:
        bit = 1 << dice.randrange(8)
        with damaged.open("r+b") as file:
            file.seek(place)
            file.write(bytes([whole[place] ^ bit]))
        done = _run(damaged, cache)
        if done.returncode not in (0, 1) or (done.returncode == 1 and "error: " not in done.stderr):
            faults.append(f"byte {place - start:+d}: exit code {done.returncode}")
        with damaged.open("r+b") as file:
            file.seek(place)
            file.write(whole[place : place + 1])
    done = _run(files.embed, cache)
    if done.returncode:
        faults.append(f"the cache is poisoned: {done.stderr.strip()[-150:]}")
    return faults


def _cut_files(files: Files) -> Sequence[str]:
    size = files.embed.stat().st_size
    short = files.folder / "short"
    faults = []
    for length in [*range(size - 100, size, 7), size // 2, size // 4, 200_000]:
        shutil.copy(files.embed, short)
        os.truncate(short, length)
        done = _run(short, files.folder / "cut-cache")
        if done.returncode != 1 or "error: " not in done.stderr:
            faults.append(f"{size - length} bytes missing: exit code {done.returncode}, {done.stderr[-80:]!r}")
    return faults


def _damaged_runtime(files: Files) -> Sequence[str]:
    """A library of the unpacked runtime cut, missing, overwritten or joined by another: noticed and mended."""
    faults = []
    for damage in (_cut, _removed, _overwritten, _joined):
        cache = Path(tempfile.mkdtemp(dir=files.folder))
        _run(files.embed, cache)
        (program,) = cache.rglob("runtime")
        damage(max(program.parent.rglob("*.so*"), key=lambda path: path.stat().st_size))
        done = _run(files.embed, cache, "infer", "hello")
        if done.returncode:
            faults.append(f"{damage.__name__}: exit code {done.returncode}, {done.stderr.strip()[-100:]!r}")
    return faults


def _cut(library: Path) -> None:
    os.truncate(library, 1000)


def _removed(library: Path) -> None:
    library.unlink()


def _overwritten(library: Path) -> None:
    with library.open("r+b") as file:
        file.seek(file.seek(0, os.SEEK_END) // 2)
        file.write(b"\0" * 100_000)


def _joined(library: Path) -> None:
    internal = next(each for each in library.parents if each.name == "_internal")
    (internal / "orjson.py").write_text("raise SystemExit(99)")


def _neighbours(files: Files) -> Sequence[str]:
    """Another user prepared the cache: nothing of his is run."""
    faults = []
    for name, prepare in {
        "a cache of 0777": _open_cache,
        "a home in a sticky folder": _sticky_home,
        "a linked cache": _linked_cache,
    }.items():
        stage = Path(tempfile.mkdtemp(dir=files.folder))
        stage.chmod(0o1777)
        marker = stage / "ran"
        for_victim = prepare(stage, files, marker)
        done = _run(files.embed, stage / "unused", user=_VICTIM, **for_victim)
        if marker.exists():
            faults.append(f"{name}: the neighbour's program ran")
        elif done.returncode not in (0, 1):
            faults.append(f"{name}: exit code {done.returncode}")
    return faults


def _planted(cache: Path, files: Files, marker: Path) -> None:
    """The neighbour's own cache, filled by running the file, its program replaced; then opened to all."""
    _run(files.embed, cache, user=_NEIGHBOUR)
    for program in cache.rglob("runtime"):
        facts = program.stat()
        program.write_text(f"#!/bin/sh\ntouch {marker}\n")
        os.utime(program, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def _open_cache(stage: Path, files: Files, marker: Path) -> dict[str, str]:
    cache = stage / "cache"
    cache.mkdir()
    os.chown(cache, _NEIGHBOUR, _NEIGHBOUR)
    _planted(cache, files, marker)
    cache.chmod(0o777)
    return {"ENCODERFILE_CACHE_DIR": str(cache)}


def _sticky_home(stage: Path, files: Files, marker: Path) -> dict[str, str]:
    cache = stage / ".cache" / "encoderfile"
    cache.mkdir(parents=True)
    for folder in (cache, cache.parent):
        os.chown(folder, _NEIGHBOUR, _NEIGHBOUR)
        folder.chmod(0o777)
    _planted(cache, files, marker)
    for program in cache.rglob("runtime"):
        os.chown(program, _VICTIM, _VICTIM)  # as a careless check would see it
        break
    return {"HOME": str(stage)}


def _linked_cache(stage: Path, files: Files, marker: Path) -> dict[str, str]:
    real = stage / "real"
    real.mkdir()
    os.chown(real, _NEIGHBOUR, _NEIGHBOUR)
    _planted(real, files, marker)
    home = stage / "home"
    home.mkdir()
    home.chmod(0o1777)
    (home / ".cache").symlink_to(stage)
    (stage / "encoderfile").symlink_to(real)
    return {"HOME": str(home)}


ATTACKS = [
    OnFile("flipped bits", _flipped_bits),
    OnFile("cut files", _cut_files),
    OnFile("a damaged runtime", _damaged_runtime),
    OnFile("neighbours in the cache", _neighbours),
]
