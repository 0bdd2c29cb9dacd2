"""`make release`: the same commit gives the same bytes, with nothing missing and nothing else in them."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from email.parser import Parser
from pathlib import Path
from typing import Any

import pytest

import encoderfile
from encoderfile.builder.runtimes.platforms import PLATFORMS, this_platform
from encoderfile.builder.runtimes.sources import RECIPE
from support.models import ROOT
from support.scripts import script

NAME = f"onnx_encoderfile-{encoderfile.__version__}"
WHEEL = f"{NAME}-py3-none-any.whl"
SOURCES = f"{NAME}.tar.gz"
MOMENT = 1_700_000_000
OTHER = next(name for name in PLATFORMS if name != this_platform())

release = script(ROOT / "build" / "release.py")


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source archive of this checkout."""
    folder = tmp_path_factory.mktemp("packages")
    release.packages(ROOT, folder, MOMENT)
    return folder


def contents(packages: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(packages / WHEEL) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_another_checkout_gives_the_same_bytes(packages: Path, tmp_path: Path) -> None:
    checkout = tmp_path / "elsewhere"
    checkout.mkdir()
    for name in ("encoderfile", "build", "proto"):
        shutil.copytree(ROOT / name, checkout / name)  # also what Python compiled
    for path in (*ROOT.glob("*.md"), ROOT / "LICENSE", ROOT / "pyproject.toml", ROOT / ".gitignore"):
        shutil.copy(path, checkout)
    for path in checkout.rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(path.stat().st_mode ^ 0o022)  # as with another umask
    target = tmp_path / "target"
    release.packages(checkout, target, MOMENT)
    assert (target / WHEEL).read_bytes() == (packages / WHEEL).read_bytes()
    assert (target / SOURCES).read_bytes() == (packages / SOURCES).read_bytes()


def test_the_source_archive_gives_the_same_wheel(packages: Path, tmp_path: Path) -> None:
    with tarfile.open(packages / SOURCES) as archive:
        archive.extractall(tmp_path, filter="data")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(MOMENT)}
    subprocess.run(command, cwd=tmp_path / NAME, env=environment, check=True, capture_output=True)
    assert (tmp_path / WHEEL).read_bytes() == (packages / WHEEL).read_bytes()


def test_the_wheel_has_the_package_the_recipe_and_nothing_else(packages: Path) -> None:
    package = {
        path.relative_to(ROOT).as_posix(): path.read_bytes()
        for path in (ROOT / "encoderfile").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    recipe = {f"encoderfile/builder/recipe/{name}": (ROOT / "build" / name).read_bytes() for name in RECIPE}
    found = contents(packages)
    information = {name: found.pop(name) for name in list(found) if name.startswith(f"{NAME}.dist-info/")}
    assert found == package | recipe
    assert {"encoderfile/py.typed", *(f"encoderfile/builder/launcher/{name}" for name in PLATFORMS)} <= found.keys()
    files = ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")
    assert information.keys() == {f"{NAME}.dist-info/{name}" for name in files}


def test_the_distribution_has_a_name_of_its_own_and_the_command_keeps_its(packages: Path) -> None:
    found = contents(packages)
    metadata = Parser().parsestr(found[f"{NAME}.dist-info/METADATA"].decode())
    assert metadata["Name"] == "onnx-encoderfile"
    assert metadata["Version"] == encoderfile.__version__
    assert "quantize" in (metadata.get_all("Provides-Extra") or [])
    assert b"encoderfile = encoderfile.cli.main:main" in found[f"{NAME}.dist-info/entry_points.txt"]


def test_the_list_of_parts_names_what_is_in_the_wheel_and_what_it_needs(packages: Path) -> None:
    made = release.wheel_sbom(packages / WHEEL, ROOT / "build" / "constraints.txt")
    components = {each["name"]: each for each in made["components"]}
    assert {"libdeflate", "musl", "zig", "click", "numpy", "tokenizers", "onnx"} <= components.keys()
    assert components["click"]["purl"] == f"pkg:pypi/click@{pinned('click')}"
    assert components["click"]["scope"] == "required"
    assert components["onnx"]["scope"] == "optional"
    assert made["metadata"]["component"]["hashes"] == [
        {"alg": "SHA-256", "content": hashlib.sha256((packages / WHEEL).read_bytes()).hexdigest()}
    ]
    assert len({each["bom-ref"] for each in made["components"]}) == len(made["components"])
    again = release.wheel_sbom(packages / WHEEL, ROOT / "build" / "constraints.txt")
    assert json.dumps(again) == json.dumps(made)


def pinned(name: str) -> str:
    found = re.search(rf"^{name}==(.*)$", (ROOT / "build" / "constraints.txt").read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


def test_the_checksums_are_those_of_all_files(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"two")
    (tmp_path / "a").write_bytes(b"one")
    release.checksums(tmp_path)
    sums = {name: hashlib.sha256(text).hexdigest() for name, text in (("a", b"one"), ("b", b"two"))}
    assert (tmp_path / "SHA256SUMS").read_text() == "".join(f"{sums[name]}  {name}\n" for name in ("a", "b"))


@pytest.fixture
def export(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Stands in for `encoderfile`: exports a runtime when a file `made` lies beside it."""
    command = tmp_path / "encoderfile"
    command.write_text('#!/bin/sh\n[ -e "${0%/*}/made" ] && echo "$5/$3.pack"\n')
    command.chmod(0o755)
    monkeypatch.setattr(release, "COMMAND", command)
    return command


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("echo making; echo 'error: qemu is not installed' >&2; exit 1", "qemu is not installed"),
        ("echo 'make[1]: *** No rule.' >&2; exit 2", "No rule."),
        ("exit 3", "sh ended with exit code 3"),
    ],
)
def test_a_runtime_that_cannot_be_had_is_left_out_with_its_reason(
    said: str, reason: str, export: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert release.runtime(OTHER, tmp_path, ("sh", "-c", said)) is None
    assert capfd.readouterr().err.splitlines()[-1] == f"left out: the runtime for {OTHER} ({reason})"


def test_nothing_of_it_is_left(export: Path, tmp_path: Path) -> None:
    unfinished = tmp_path / f"encoderfile-runtime-{encoderfile.__version__}-{OTHER}-cpu.pack"
    assert release.runtime(OTHER, tmp_path, ("sh", "-c", f"touch {unfinished}; exit 1")) is None
    assert not unfinished.exists()


def test_a_runtime_that_is_kept_here_is_not_made_again(export: Path, tmp_path: Path) -> None:
    (tmp_path / "made").touch()
    assert release.runtime(OTHER, tmp_path, ("false",)) == tmp_path / f"{OTHER}.pack"


def test_a_runtime_that_is_not_here_is_made(export: Path, tmp_path: Path) -> None:
    assert release.runtime(OTHER, tmp_path, ("touch", str(tmp_path / "made"))) == tmp_path / f"{OTHER}.pack"


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    command: Sequence[str] = ("git", "-C", str(folder), *identity, *arguments)
    environment: dict[str, Any] = {**os.environ, "GIT_COMMITTER_DATE": f"{MOMENT} +0000"}
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout


def test_a_release_replaces_the_one_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "dist"
    target.mkdir()
    (target / "old.whl").touch()
    monkeypatch.setattr(release, "commit_time", lambda *_: MOMENT)
    monkeypatch.setattr(release, "runtime", lambda *_: None)  # a minute each
    release.release(target)
    files = [WHEEL, SOURCES, f"{WHEEL}.cdx.json", "constraints.txt"]
    assert sorted(path.name for path in target.iterdir()) == sorted([*files, "SHA256SUMS"])
    lines = (target / "SHA256SUMS").read_text().splitlines()
    assert [line.split()[1] for line in lines] == sorted(files)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_release_is_of_the_last_commit_and_of_nothing_else(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "file").touch()
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "--quiet", "--message", "one")
    assert release.commit_time(tmp_path) == MOMENT
    (tmp_path / "forgotten.py").touch()
    with pytest.raises(SystemExit, match=r"these files differ from it:\n\?\? forgotten.py"):
        release.commit_time(tmp_path)
