"""The record of what a frozen runtime was made from, and what has changed since.

Freezing takes minutes, and its result depends only on the files it read and on where Python found, or did not find,
the modules that those import. Both are recorded beside the pack, by names that are relative to where Python keeps
such files, so that another environment with the same packages can use it too.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

import encoderfile

Json = dict[str, Any]

KEYS = frozenset({"files", "modules", "versions", "seen"})
"""The keys of a record."""


def record(files: Iterable[str], modules: Iterable[str], versions: Mapping[str, str]) -> Json:
    """The record of a pack that was frozen from `files` (paths) and imports `modules`, found or not.

    `versions` are those of the distributions in it.
    """
    roots = _roots()
    paths = sorted({Path(file) for file in files if Path(file).is_file()})
    return {
        "files": {_name(path, roots): [path.stat().st_size, _sha256(path)] for path in paths},
        "modules": {name: _found(name, roots) for name in sorted(set(modules))},
        "versions": dict(versions),
        "seen": {str(path): _stamp(path) for path in paths},
    }


def changes(record: Json) -> Iterator[str]:
    """The differences from `record`, one at a time as they are found; none when its pack can be used.

    A file that was seen with the same size and times is not read again; those that were read are added to
    `record["seen"]`.
    """
    for name, version in record["versions"].items():
        if (now := _version(name)) != version:
            yield f"{name} {version} is now {now or 'gone'}"
    roots = _roots()
    for name, place in record["modules"].items():
        if (found := _found(name, roots)) != place:
            yield f"the module {name}, which was {place or 'not there'}, is now {found or 'not there'}"
    for name, (size, digest) in record["files"].items():
        path = _path(name, roots)
        try:
            stamp = _stamp(path)
            same = stamp[0] == size and (record["seen"].get(str(path)) == stamp or _sha256(path) == digest)
        except OSError:
            same = False
        if same:
            record["seen"][str(path)] = stamp
        else:
            yield f"{path} changed"


def _roots() -> dict[str, Path]:
    """The folders of Python's files, by names that are the same in every environment; the innermost first."""
    kinds = ("purelib", "platlib", "stdlib", "platstdlib")
    own = {"encoderfile": Path(encoderfile.__file__).parent}
    return own | {kind: Path(sysconfig.get_path(kind)) for kind in kinds}


def _name(path: Path, roots: Mapping[str, Path]) -> str:
    for kind, root in roots.items():
        if path.is_relative_to(root):
            return f"{kind}:{path.relative_to(root)}"
    return str(path)


def _path(name: str, roots: Mapping[str, Path]) -> Path:
    kind, colon, rest = name.partition(":")
    root = roots.get(kind)
    return root / rest if colon and root is not None else Path(name)


def _stamp(path: Path) -> list[int]:
    facts = path.stat()
    return [facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _found(module: str, roots: Mapping[str, Path]) -> str | None:
    """The file that Python would import `module` from, found without importing it; None where there is none."""
    names = module.split(".")
    spec, path = None, None
    for count in range(1, len(names) + 1):
        spec = PathFinder.find_spec(".".join(names[:count]), path)
        if spec is None:
            return None
        path = spec.submodule_search_locations
        if path is None and count < len(names):
            return None
    return _name(Path(spec.origin), roots) if spec is not None and spec.origin else "a namespace package"
