"""Libraries that the operating system brought, where the runtime was frozen: versions and licences, for the SBOM."""

from __future__ import annotations

import contextlib
import platform
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_LICENCES = {
    "libbz2": "bzip2-1.0.6",
    "libcrypto": "Apache-2.0",
    "libexpat": "MIT",
    "libffi": "MIT",
    "libgcc_s": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "liblzma": "0BSD",
    "libmpdec": "BSD-2-Clause",
    "libsqlite3": "blessing",
    "libssl": "Apache-2.0",
    "libstdc++": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "libuuid": "BSD-3-Clause",
    "libz": "Zlib",
}
"""SPDX, by the name before `.so`: the same in every distribution."""

GLIBC_LICENCE = "LGPL-2.1-or-later"


def component(name: str, files: Iterable[Path], version: str = "", licence: str = "") -> dict[str, Any]:
    """The CycloneDX component called `name` that consists of `files`.

    Where the package manager knows whose they are, the package's version goes before `version`. Without `licence`, it
    is that of a library of this name, if that is known.
    """
    paths = sorted(files)
    package = _package(paths[0])
    licence = licence or _LICENCES.get(name.partition(".so")[0], "")
    found: dict[str, Any] = {"type": "library", "name": name}
    if package is not None:
        version, found["purl"] = package
    if version:
        found["version"] = version
    if licence:
        found["licenses"] = [{"expression": licence} if " " in licence else {"license": {"id": licence}}]
    size = sum(path.stat().st_size for path in paths)
    found["properties"] = [{"name": "encoderfile:bytes", "value": str(size)}]
    return found


def _package(path: Path) -> tuple[str, str] | None:
    """Version and purl of the package that installed the file, where dpkg or rpm know it."""
    return _debian(path) or _rpm(path)


def _debian(path: Path) -> tuple[str, str] | None:
    # By the last two parts: the database may have /lib where the file system says /usr/lib.
    found = re.match(r"([^:,\s]+)(?::(\S+))?: ", _said("dpkg-query", "--search", f"*/{path.parent.name}/{path.name}"))
    if found is None:
        return None
    name = found[1] + (f":{found[2]}" if found[2] else "")
    version, _, architecture = _said("dpkg-query", "--show", "-f", "${Version} ${Architecture}", name).partition(" ")
    return version, f"pkg:deb/{_distribution()}/{found[1]}@{version}?arch={architecture.strip()}"


def _rpm(path: Path) -> tuple[str, str] | None:
    said = _said("rpm", "--query", "--file", "--qf", r"%{NAME} %{VERSION}-%{RELEASE} %{ARCH}\n", str(path)).split()
    if len(said) != 3:
        return None
    name, version, architecture = said
    return version, f"pkg:rpm/{_distribution()}/{name}@{version}?arch={architecture}"


def _distribution() -> str:
    with contextlib.suppress(OSError):
        return platform.freedesktop_os_release().get("ID", "linux")
    return "linux"


def _said(*command: str) -> str:
    """What a command prints; nothing where it is not there, or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout if done.returncode == 0 else ""
