"""The libraries of CUDA that a file carries, so that its machine needs the GPU's driver alone.

They come from NVIDIA's wheels, which the extra `cuda` installs. Which ones is decided by what the libraries say of
themselves: those that onnxruntime's provider needs, those that these need, and those that any of them opens by name;
and cuDNN, which the provider opens by a name that it puts together. cuDNN cannot be left out where a graph has no
convolution: without it, on an H100, `Attention` of float16 ends with an error, and the fusions make that operator.
They are packed as the runtime is, apart from it: the launcher unpacks them when a start needs them
(encoderfile/runtime/cuda_libraries.py), so that a start on the CPU does not.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import mmap
import os
import re
import tempfile
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from encoderfile.builder.container_writer import Part
from encoderfile.builder.install_command import extra_command
from encoderfile.builder.runtimes import ownership, sbom
from encoderfile.builder.runtimes.cache import held, locked, move, own_cache
from encoderfile.builder.runtimes.elf import needed
from encoderfile.builder.runtimes.pack_writer import write_files
from encoderfile.container import Container, Slice
from encoderfile.errors import ConfigError, ContainerError
from encoderfile.manifest import CUDA_LIBRARIES, CUFFT_LIBRARIES
from encoderfile.pack import COMPONENTS_PATH, entries, verify
from encoderfile.progress import waiting

BUNDLED, SYSTEM = "bundled", "system"
"""Where a file for CUDA takes the libraries from: itself, or the machine that it runs on."""

_CUDNN, _CUFFT = "libcudnn.so.9", "libcufft.so.12"
_WITH_CUFFT = frozenset({"Rfft", "Irfft"})
"""The operators that onnxruntime runs with cuFFT; 160 MB that no usual encoder needs."""
_LIBRARY = re.compile(rb"lib(?:cu|nv)[A-Za-z_-]+")
_OLDEST_GLIBC = "2.27"
"""That of cuDNN's wheel; nothing looks at it, because the runtime that loads them needs a newer one."""
_LEVEL = 6
"""Of zlib: 9 takes twice as long and saves one part in a thousand."""


@dataclass(frozen=True, slots=True)
class _Library:
    path: Path
    distribution: str

    @property
    def stem(self) -> str:
        """The name that others open it by, with a version of theirs behind it."""
        return self.path.name.partition(".so")[0]


def are_installed() -> bool:
    """Whether any of NVIDIA's wheels is."""
    return bool(_installed())


def require_installed() -> None:
    """Raises `ConfigError` where none of NVIDIA's wheels is installed."""
    if not are_installed():
        raise _missing("NVIDIA's libraries, which are not installed")


def parts(roots: Collection[str], op_types: Collection[str], cache: Path, say: Callable[[str], None]) -> list[Part]:
    """The packs that a file with a graph of `op_types` needs, from the cache or made now.

    `roots` are the libraries that its provider needs. Raises `ConfigError` where one is not installed.
    """
    available = _installed()
    wanted = {CUDA_LIBRARIES: [*sorted(roots), _CUDNN]}
    if not _WITH_CUFFT.isdisjoint(op_types):
        wanted[CUFFT_LIBRARIES] = [_CUFFT]
    absent = [name for names in wanted.values() for name in names if name not in available]
    if absent:
        raise _missing(f"{', '.join(absent)}, which {'is' if len(absent) == 1 else 'are'} not installed")
    first = wanted[CUDA_LIBRARIES]
    return [
        _part(name, _pack(name, names, () if name == CUDA_LIBRARIES else first, available, cache, say))
        for name, names in wanted.items()
    ]


def check_kept(file: Container, roots: Collection[str]) -> None:
    """Raises `ConfigError` where the libraries in a built file are not those that another provider needs."""
    artifact = file.manifest.artifact(CUDA_LIBRARIES)
    if artifact is None:
        return
    there = {entry.path for entry in entries(file.slice_of(artifact))}
    absent = sorted(set(roots) - there)
    if absent:
        raise ConfigError(f"{file.path} carries no {absent[0]}, which this version needs: build it again")


def _missing(what: str) -> ConfigError:
    return ConfigError(
        f"--device cuda puts the libraries of CUDA into the file and needs {what}: run `{extra_command('cuda')}`, or "
        "give --cuda-libraries system, for machines that have CUDA 13 themselves"
    )


def _installed() -> dict[str, _Library]:
    """The libraries of NVIDIA's wheels, by their file names."""
    found: dict[str, _Library] = {}
    for distribution in importlib.metadata.distributions():
        name = distribution.name or ""
        if name.lower().startswith("nvidia-"):
            for file in distribution.files or ():
                if file.name.startswith("lib") and ".so" in file.name:
                    found.setdefault(file.name, _Library(Path(str(file.locate())), name))
    return {name: found[name] for name in sorted(found)}


def _part(name: str, pack: Slice) -> Part:
    return Part(name, slices=[pack], length=pack.length)


def _pack(
    name: str,
    roots: Iterable[str],
    beside: Iterable[str],
    available: Mapping[str, _Library],
    cache: Path,
    say: Callable[[str], None],
) -> Slice:
    """The pack of `roots` and what they need, but not of what those `beside` need, which are in another one."""
    stem = f"{name.removesuffix('.pack')}-{_fingerprint(roots, beside, available)}"
    cache = own_cache(cache)
    target = cache / f"{stem}.pack"
    with locked(cache / f"{stem}.lock", say):
        if target.exists():
            ownership.own_file(target)
            try:
                verify(Slice.whole(target))
                os.utime(target)
                return Slice.whole(target)
            except ContainerError:
                say(f"{target} is damaged")
        say(f"packing {name.removesuffix('.pack')}, once for these versions (a minute or two)")
        try:
            with (
                tempfile.TemporaryDirectory(prefix="freeze-", dir=cache) as work,
                held(Path(work)),
                waiting(f"packing {name.removesuffix('.pack')}"),
            ):
                _write(_closure(roots, available) - _closure(beside, available), available, Path(work))
                move(Path(work, "pack"), target)
        except OSError as error:
            raise ConfigError(
                f"the libraries of CUDA cannot be packed in {cache} ({error.strerror}): choose another folder with "
                "--cache-dir"
            ) from error
    return Slice.whole(target)


def _fingerprint(roots: Iterable[str], beside: Iterable[str], available: Mapping[str, _Library]) -> str:
    """Changes with the installed libraries, as far as their names, sizes and times tell."""
    found = [(name, each.path.stat().st_size, each.path.stat().st_mtime_ns) for name, each in available.items()]
    facts = [sorted(roots), sorted(beside), found, _LEVEL]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


def _closure(roots: Iterable[str], available: Mapping[str, _Library]) -> set[str]:
    """`roots`, and what they need or open by name, and so on; without what is none of NVIDIA's."""
    by_stem = {each.stem: name for name, each in available.items()}
    found: set[str] = set()
    ahead = list(roots)
    while ahead:
        name = ahead.pop()
        if name in available and name not in found:
            found.add(name)
            ahead += _named_in(available[name].path, by_stem)
    return found


def _named_in(path: Path, by_stem: Mapping[str, str]) -> Iterator[str]:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as data:
        yield from needed(data)
        for stem in {match.decode() for match in _LIBRARY.findall(data)}:
            if stem in by_stem:
                yield by_stem[stem]


def _write(names: Iterable[str], available: Mapping[str, _Library], work: Path) -> None:
    """Packs the libraries `names`, with the list of their packages, into `work`/pack."""
    sizes: dict[str, int] = defaultdict(int)
    for name in names:
        sizes[available[name].distribution] += available[name].path.stat().st_size
    components = work / "components.json"
    components.write_text(json.dumps([sbom.package(name, sizes[name]) for name in sorted(sizes)], indent=1) + "\n")
    files = {name: available[name].path.resolve() for name in names}
    write_files({**files, COMPONENTS_PATH: components}, work / "pack", _OLDEST_GLIBC, level=_LEVEL)
