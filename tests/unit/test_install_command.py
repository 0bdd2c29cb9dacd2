"""The command that a message gives is one that works for the installation that gives it."""

import sys
from pathlib import Path

import pytest

from encoderfile.builder.install_command import extra_command, install_command


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The programs of an environment in which we run, not yet on the search path."""
    programs = tmp_path / "an environment" / "bin"
    programs.mkdir(parents=True)
    program(programs / "python")
    monkeypatch.setattr(sys, "executable", str(programs / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    return programs


def program(path: Path) -> None:
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)


def test_in_an_active_environment_it_is_pip(environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(environment / "pip")
    monkeypatch.setenv("PATH", str(environment))
    assert install_command("onnx") == "pip install onnx"


def test_elsewhere_it_names_the_python_that_runs_us(environment: Path) -> None:
    program(environment / "pip")
    assert install_command("onnx") == f"'{environment}/python' -m pip install onnx"


def test_a_pip_of_another_environment_is_not_meant(environment: Path, tmp_path: Path) -> None:
    program(tmp_path / "pip")
    assert install_command("onnx") == f"'{environment}/python' -m pip install onnx"


def test_where_pip_is_not_installed_it_is_uv(
    environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "uv")
    monkeypatch.setattr("importlib.util.find_spec", {}.get)
    assert install_command("onnx") == f"uv pip install --python '{environment}/python' onnx"


def test_an_extra_of_a_clone_is_installed_from_the_clone(environment: Path) -> None:
    checkout = Path(__file__).parents[2]
    assert extra_command("quantize") == install_command("-e", f"{checkout}[quantize]")


def test_an_extra_of_a_wheel_is_installed_by_the_name_of_the_distribution(environment: Path, tmp_path: Path) -> None:
    package = tmp_path / "site-packages" / "encoderfile"
    (package / "builder" / "recipe").mkdir(parents=True)
    (package.parent / "pyproject.toml").touch()  # left there by whatever else is installed
    assert extra_command("quantize", package).endswith(" install 'onnx-encoderfile[quantize]'")
