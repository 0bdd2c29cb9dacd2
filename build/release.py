"""Writes a release of the last commit into the folder given, which it empties first. Run by `make release`.

A release is the wheel and the source archive, the versions to install with it, the CPU runtimes of both platforms, an
SBOM (CycloneDX) of each, and SHA256SUMS of all. The same commit, Python and packages give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import uuid
import zipfile
from collections.abc import Mapping, Sequence
from email.message import Message
from email.parser import BytesParser
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from encoderfile.builder.install_command import DISTRIBUTION
from encoderfile.builder.runtimes.platforms import PLATFORMS
from encoderfile.console import say
from encoderfile.container import Slice
from encoderfile.pack import SBOM_PATH, read

ROOT = Path(__file__).parents[1]
CONSTRAINTS = ROOT / "build" / "constraints.txt"
"""The packages that it was tested with; an installation with them freezes the same runtime."""
COMMAND = Path(sys.executable).with_name("encoderfile")
EMULATED = {"linux-aarch64": ("make", "runtime-aarch64")}
"""Commands that freeze a runtime for another platform here and keep it for `encoderfile runtime export`."""


def release(target: Path) -> None:
    """Writes everything into `target`. Raises `SystemExit` where the checkout is not the last commit."""
    moment = commit_time(ROOT)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    wheel = packages(ROOT, target, moment)
    write_json(target / f"{wheel.name}.cdx.json", wheel_sbom(wheel, CONSTRAINTS))
    shutil.copy(CONSTRAINTS, target)
    for platform in PLATFORMS:
        pack = runtime(platform, target, EMULATED.get(platform))
        if pack is not None:
            write_json(target / f"{pack.name}.cdx.json", json.loads(read(Slice.whole(pack), SBOM_PATH)))
    checksums(target)


def commit_time(root: Path) -> int:
    """Seconds since 1970 of the last commit. Raises `SystemExit` where files differ from it or are not part of it."""
    changed = _output("git", "-C", str(root), "status", "--porcelain")
    if changed:
        raise SystemExit(f"error: a release is made from the last commit, and these files differ from it:\n{changed}")
    return int(_output("git", "-C", str(root), "log", "-1", "--format=%ct"))


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.rstrip()


def packages(root: Path, target: Path, moment: int) -> Path:
    """Writes the wheel and the source archive of the checkout `root`; returns the wheel."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--target", "wheel"]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(moment)}
    subprocess.run([*command, "--directory", str(target)], cwd=root, env=environment, check=True, stdout=sys.stderr)
    return next(target.glob("*.whl"))


def runtime(platform: str, target: Path, make: Sequence[str] | None) -> Path | None:
    """Writes the CPU runtime for `platform`, after `make` where there is none yet; None, and a line, without one."""
    pack = _exported(platform, target, stderr=None if make is None else subprocess.DEVNULL)
    if pack is None and make is not None:
        reason = _failure(make)
        if reason is not None:
            for unfinished in target.glob(f"*{platform}*"):
                unfinished.unlink()
            say(f"left out: the runtime for {platform} ({reason})")
            return None
        pack = _exported(platform, target)
    if pack is None:
        raise SystemExit(f"error: there is no runtime for {platform}")
    return pack


def _exported(platform: str, target: Path, stderr: int | None = None) -> Path | None:
    command = [str(COMMAND), "runtime", "export", platform, "--output-path", str(target)]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=stderr, text=True)
    return Path(done.stdout.strip()) if done.returncode == 0 else None


def _failure(command: Sequence[str]) -> str | None:
    """Runs a command that takes a while, with its lines as they come; None, or why it failed."""
    lines = []
    with subprocess.Popen(command, cwd=ROOT, stdout=sys.stderr, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            sys.stderr.write(line)
            lines.append(line.strip())
    if process.returncode == 0:
        return None
    said = [found[1] for line in lines if (found := re.match(r"(?:error|make(?:\[\d+\])?: \*\*\*):? (.*)", line))]
    return said[0] if said else f"{command[0]} ended with exit code {process.returncode}"


def wheel_sbom(wheel: Path, constraints: Path) -> dict[str, Any]:
    """What the wheel contains of others, and what it is installed with.

    Versions of the latter are those in `constraints`, which it was tested with.
    """
    with zipfile.ZipFile(wheel) as archive:
        name = next(each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
        metadata = BytesParser().parsebytes(archive.read(name))
        parts = json.loads(archive.read("encoderfile/builder/launcher/parts.json"))
    contained = [{"bom-ref": each["name"], **each} for each in parts]
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)$", constraints.read_text(encoding="utf-8"), re.MULTILINE))
    versions = {canonicalize_name(each): version for each, version in pinned.items()}
    needed = {each["name"]: each for each in (_needed(text, versions) for text in _requirements(metadata))}
    components = [*contained, *needed.values()]
    identity = hashlib.sha256(wheel.read_bytes()).hexdigest()
    purl = f"pkg:pypi/{DISTRIBUTION}@{metadata['Version']}"
    whole = {
        "type": "application",
        "bom-ref": purl,
        "name": DISTRIBUTION,
        "version": metadata["Version"],
        "licenses": [{"license": {"id": metadata["License-Expression"]}}],
        "purl": purl,
        "hashes": [{"alg": "SHA-256", "content": identity}],
    }
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, identity + json.dumps(components))}",
        "version": 1,
        "metadata": {"component": whole},
        "components": components,
        "dependencies": [{"ref": purl, "dependsOn": [each["bom-ref"] for each in components]}],
    }


def _requirements(metadata: Message) -> list[str]:
    return metadata.get_all("Requires-Dist") or []


def _needed(text: str, versions: Mapping[str, str]) -> dict[str, Any]:
    """The component of a requirement; one of an extra is optional."""
    requirement = Requirement(text)
    name = canonicalize_name(requirement.name)
    purl = f"pkg:pypi/{name}"
    known = {"version": versions[name], "purl": f"{purl}@{versions[name]}"} if name in versions else {"purl": purl}
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "scope": "optional" if "extra ==" in str(requirement.marker) else "required",
        **known,
        "properties": [{"name": "encoderfile:requirement", "value": text}],
    }


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Writes `document`, the same one as the same bytes."""
    path.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def checksums(folder: Path) -> None:
    """Writes SHA256SUMS of the files in `folder`, for `sha256sum -c`."""
    lines = []
    for path in sorted(folder.iterdir()):
        with path.open("rb") as file:
            lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {path.name}\n")
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    release(Path(sys.argv[1]))
