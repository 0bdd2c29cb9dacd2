"""What a frozen runtime is made of, as CycloneDX 1.6 JSON, and what it says of itself; both are kept inside it."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import platform
import sysconfig
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

import encoderfile
from encoderfile.builder.runtimes import c_library, sources, system_libraries
from encoderfile.builder.runtimes.platforms import LAUNCHER_PARTS
from encoderfile.container import Slice
from encoderfile.errors import ContainerError
from encoderfile.pack import FACTS_PATH, SBOM_PATH, entries, read

_ITSELF = {
    "type": "application",
    "name": "encoderfile-runtime",
    "version": encoderfile.__version__,
    "licenses": [{"license": {"id": "Apache-2.0"}}],
}


def document(
    contents: Mapping[str, Any],
    glibc: Sequence[Path],
    *,
    device: str,
    oldest_glibc: str,
    cuda_libraries: Sequence[str] = (),
) -> dict[str, Any]:
    """The document for `contents`, which build/runtime.spec wrote: source paths of modules, libraries and data.

    `glibc` are the files of the C library that it brings, `oldest_glibc` is the oldest it could run with,
    `cuda_libraries` are those that its CUDA provider needs and that are not in it.
    """
    sizes, loose = _sizes(contents)
    python = {"version": platform.python_version(), "licenses": [{"license": {"id": "PSF-2.0"}}]}
    components = [_component("application", "python", sizes.pop("python", 0), **python)]
    for name in sorted(sizes):
        components.append(package(name, sizes[name]))
        if (name, device) == ("onnxruntime-gpu", "cpu"):
            components[-1]["description"] = "CPU part only"
    components += [
        system_libraries.component(path.name, [path]) for path in sorted(loose, key=lambda each: each.name)
    ]
    version = c_library.version(glibc)
    components.append(system_libraries.component("glibc", glibc, version, system_libraries.GLIBC_LICENCE))
    components += json.loads(LAUNCHER_PARTS.read_bytes())
    identity = json.dumps(components, sort_keys=True)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, identity)}",
        "version": 1,
        "metadata": {
            "component": _ITSELF,
            "properties": _properties(
                device=device,
                machine=platform.machine(),
                glibc=version,
                oldest_glibc=oldest_glibc,
                sources=sources.digest(),
                cuda_libraries=" ".join(cuda_libraries),
            ),
        },
        "components": components,
    }


def _sizes(contents: Mapping[str, Any]) -> tuple[dict[str, int], list[Path]]:
    """Bytes by distribution, of Python as `python`; and the libraries that belong to none."""
    site = [Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")]
    owners = _owners(site)
    own = Path(encoderfile.__file__).parent
    sizes: dict[str, int] = defaultdict(int)
    loose: list[Path] = []
    for source in sorted({*contents["modules"], *contents["files"]}):
        path = Path(source)
        # Our own code is not a part but the whole, also where it is installed as a wheel. No file: a link inside the
        # runtime, or a module created in memory.
        if path.is_relative_to(own) or not path.is_file():
            continue
        owner = _owner(path, site, owners)
        size = path.stat().st_size
        if owner is not None:
            sizes[owner] += size
        elif ".so" in path.name and not path.name.startswith("libpython") and "lib-dynload" not in path.parts:
            loose.append(path)
        else:
            sizes["python"] += size
    return sizes, loose


def _properties(**values: object) -> list[dict[str, str]]:
    return [{"name": f"encoderfile:{name}", "value": str(value)} for name, value in values.items()]


def _owners(site: Iterable[Path]) -> dict[str, str]:
    """The first path below site-packages of every installed file, and the distribution that put it there."""
    owners: dict[str, str] = {}
    for distribution in importlib.metadata.distributions(path=[str(folder) for folder in site]):
        name = distribution.name  # which is parsed anew each time that it is asked for
        for file in distribution.files or ():
            # Two levels, because namespace packages (`google`) belong to several distributions.
            for depth in (1, 2, 3):
                owners.setdefault("/".join(file.parts[:depth]) if len(file.parts) >= depth else "", name)
    owners.pop("", None)
    return owners


def _owner(path: Path, site: Iterable[Path], owners: Mapping[str, str]) -> str | None:
    for folder in site:
        if path.is_relative_to(folder):
            parts = path.relative_to(folder).parts
            names = ("/".join(parts[:depth]) for depth in (3, 2, 1))
            return next((owners[name] for name in names if name in owners), None)
    return None


def _component(kind: str, name: str, size: int, **more: Any) -> dict[str, Any]:
    return {"type": kind, "name": name, **more, "properties": _properties(bytes=size)}


def package(name: str, size: int) -> dict[str, Any]:
    """The component of an installed Python package of which `size` bytes are there."""
    distribution = importlib.metadata.distribution(name)
    version, licences = distribution.version, _licences(distribution)
    purl = f"pkg:pypi/{name.lower()}@{version}"
    return _component("library", name, size, version=version, purl=purl, licenses=licences)


def _licences(distribution: Distribution) -> list[dict[str, Any]]:
    metadata = distribution.metadata
    expressions = metadata.get_all("License-Expression", [])
    if expressions:
        return [{"expression": expressions[0]}]
    marks = [
        line.rsplit(" :: ", 1)[-1] for line in metadata.get_all("Classifier", []) if line.startswith("License ::")
    ]
    text = "".join(metadata.get_all("License", [])).strip().splitlines()
    name = ", ".join(marks) or (text[0] if text else "see the package")
    return [{"license": {"name": name}}]


def facts(document: Mapping[str, Any]) -> dict[str, Any]:
    """What `info` says of the runtime with this `document`.

    `sources` tells whether another builder is the same as the one that froze it. `glibc` is the version that it
    brings; one for CUDA uses the machine's where that is `oldest_glibc` or newer.
    """
    said = {each["name"].removeprefix("encoderfile:"): each["value"] for each in document["metadata"]["properties"]}
    return {
        "version": document["metadata"]["component"]["version"],
        **{name: said[name] for name in ("device", "machine", "glibc", "oldest_glibc", "sources")},
        "cuda_libraries": said["cuda_libraries"].split(),
        "versions": {each["name"]: each["version"] for each in document["components"] if "version" in each},
    }


def cuda_libraries_of(runtime: Slice) -> list[str]:
    """The libraries of CUDA that the provider in a pack needs. Raises `ContainerError` where it does not say so."""
    try:
        return [str(each) for each in json.loads(read(runtime, FACTS_PATH))["cuda_libraries"]]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise ContainerError(f"{runtime.path} holds no runtime of this version of encoderfile") from error


def python_of(runtime: Slice) -> str:
    """The version of Python in a pack, as `3.11`. Raises `ContainerError` where it does not say so."""
    try:
        version = str(json.loads(read(runtime, FACTS_PATH))["versions"]["python"])
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise ContainerError(f"{runtime.path} holds no runtime of this version of encoderfile") from error
    return ".".join(version.split(".")[:2])


def device_of(runtime: Slice) -> str | None:
    """What the runtime in a pack was frozen for, as it says itself; None where it does not."""
    device = _said(runtime, "device")
    return device if device in ("cpu", "cuda") else None


def platform_of(runtime: Slice) -> str | None:
    """The platform it runs on, as it says itself; None where it does not."""
    machine = _said(runtime, "machine")
    return f"linux-{machine}" if machine is not None else None


def _said(runtime: Slice, name: str) -> str | None:
    """One of the facts. Files of encoderfile 0.1.0 have no facts, only the list of parts."""
    with contextlib.suppress(ContainerError, ValueError, LookupError, TypeError, RecursionError):
        if any(entry.path == FACTS_PATH for entry in entries(runtime)):
            found = json.loads(read(runtime, FACTS_PATH))[name]
        else:
            properties = json.loads(read(runtime, SBOM_PATH))["metadata"]["properties"]
            found = {each["name"]: each["value"] for each in properties}[f"encoderfile:{name}"]
        return found if isinstance(found, str) else None
    return None
