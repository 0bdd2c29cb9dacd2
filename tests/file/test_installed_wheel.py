"""The wheel in an environment of its own builds the file that the checkout builds."""

import importlib.metadata
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import encoderfile
from support.files import FREEZE_PATIENCE, BuiltFile, Done, builder_environment, sentence
from support.models import DEMO, ROOT
from support.scripts import script


@dataclass(frozen=True)
class Environment:
    """A virtual environment with the wheel, used from a folder in which nothing of ours lies."""

    site: Path
    programs: Path
    folder: Path

    def run(self, program: str, *arguments: str | Path) -> Done:
        kept = builder_environment(PATH=os.defpath)
        kept.pop("PYTHONPATH", None)
        return subprocess.run(
            [self.programs / program, *arguments],
            cwd=self.folder,
            env=kept,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=FREEZE_PATIENCE,
        )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """An environment where pip installed the wheel, and where what the wheel requires is copied from our own."""
    base = tmp_path_factory.mktemp("installed")
    wheel = script(ROOT / "build" / "release.py").packages(ROOT, base / "dist", 1_700_000_000)
    root, folder = base / "environment", base / "folder"
    folder.mkdir()
    venv.create(root, symlinks=True)
    places = {"base": str(root), "platbase": str(root)}
    site, programs = (Path(sysconfig.get_path(name, "venv", places)) for name in ("purelib", "scripts"))
    command = [sys.executable, "-m", "pip", "--python", root, "install", "--no-index", "--no-deps", wheel]
    subprocess.run(command, check=True, capture_output=True)
    for name in required("onnx-encoderfile"):
        copy(importlib.metadata.distribution(name), site)
    yield Environment(site, programs, folder)
    shutil.rmtree(root)  # half a gigabyte


def required(name: str) -> set[str]:
    """What pip would install with a distribution, without extras."""
    found: set[str] = set()
    left = [name]
    while left:
        for text in importlib.metadata.requires(left.pop()) or ():
            requirement = Requirement(text)
            known = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            if known and requirement.name not in found:
                found.add(requirement.name)
                left.append(requirement.name)
    return found


def copy(distribution: importlib.metadata.Distribution, site: Path) -> None:
    """Its files, but for programs, which lie elsewhere.

    Symbolic links would do for Python, but not for PyInstaller. Hard links do, and are made in a tenth of the time.
    """
    for file in distribution.files or ():
        if ".." not in file.parts and not (site / file).exists():  # one may be required by two spellings
            (site / file).parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(str(file.locate()), site / file)
            except OSError:  # on another file system
                shutil.copy2(str(file.locate()), site / file)


def test_the_package_is_that_of_the_wheel(installed: Environment) -> None:
    done = installed.run("python", "-c", "import encoderfile; print(encoderfile.__file__)")
    assert done.stdout.strip() == str(installed.site / "encoderfile" / "__init__.py")
    assert installed.run("encoderfile", "--version").stdout == f"encoderfile {encoderfile.__version__}\n"


def test_it_builds_the_same_file_as_the_checkout(installed: Environment, sentiment: BuiltFile) -> None:
    target = installed.folder / "sentiment.encoderfile"
    done = installed.run("encoderfile", "build", DEMO["sentiment"], "--name", "sentiment")
    assert (done.returncode, done.stdout) == (0, f"{target.name}\n"), done.stderr
    assert "POSITIVE" in sentiment.at(target).run("infer", "This product is amazing!").stdout
    same = target.read_bytes() == sentiment.path.read_bytes()
    assert same


def test_what_is_missing_is_installed_by_the_name_of_the_distribution(installed: Environment) -> None:
    done = installed.run("encoderfile", "build", DEMO["sentiment"], "--quantize", "int8", "-o", "int8")
    command = f"{installed.programs / 'python'} -m pip install 'onnx-encoderfile[quantize]'"
    assert sentence(done, after_steps=True).endswith(f"install it with `{command}`")
