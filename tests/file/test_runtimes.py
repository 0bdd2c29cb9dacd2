"""Runtimes as files: taken out of one installation or one built file, and built with again."""

import json
from pathlib import Path

import pytest

from encoderfile.builder.runtimes.platforms import PLATFORMS, this_platform
from support.files import BuiltFile, encoderfile, sentence
from support.models import DEMO

OTHER = next(name for name in PLATFORMS if name != this_platform())


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runtime of this machine, as a file of its own."""
    folder = tmp_path_factory.mktemp("exported")
    done = encoderfile("runtime", "export", "-o", folder)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


def build(target: Path, *arguments: str | Path) -> bytes:
    done = encoderfile("build", DEMO["sentiment"], "--name", "sentiment", "-o", target, *arguments)
    assert done.returncode == 0, done.stderr
    return target.read_bytes()


def test_a_build_with_an_exported_runtime_gives_the_same_bytes(
    exported: Path, sentiment: BuiltFile, tmp_path: Path
) -> None:
    assert build(tmp_path / "file", "--base-binary-path", exported) == sentiment.path.read_bytes()


def test_and_so_does_one_with_the_runtime_of_a_built_file(sentiment: BuiltFile, tmp_path: Path) -> None:
    assert build(tmp_path / "file", "--base-binary-path", sentiment.path) == sentiment.path.read_bytes()


def test_the_ecosystems_yaml_names_both(exported: Path, sentiment: BuiltFile, tmp_path: Path) -> None:
    values = {"path": str(DEMO["sentiment"]), "name": "sentiment", "output_path": str(tmp_path / "file")}
    more = {"base_binary_path": str(exported), "target": f"{this_platform().partition('-')[2]}-unknown-linux-gnu"}
    (tmp_path / "build.yml").write_text(json.dumps({"encoderfile": values | more}))
    done = encoderfile("build", "-f", tmp_path / "build.yml")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "file").read_bytes() == sentiment.path.read_bytes()


def test_an_imported_runtime_is_listed(exported: Path, tmp_path: Path) -> None:
    assert encoderfile("runtime", "import", exported, "--cache-dir", tmp_path / "cache").returncode == 0
    listed = encoderfile("runtime", "list", "--cache-dir", tmp_path / "cache").stdout
    assert listed.split()[:2] == [this_platform(), "cpu"]
    assert listed.split()[-1] == str(tmp_path / "cache" / exported.name)


def test_a_platform_without_a_runtime_is_refused_before_the_model_is_read(tmp_path: Path) -> None:
    done = encoderfile(
        "build",
        tmp_path / "no model",
        "--platform",
        OTHER,
        "--cache-dir",
        tmp_path / "cache",
        "-o",
        tmp_path / "file",
    )
    assert sentence(done).startswith(
        f"there is no runtime for {OTHER} and cpu here: run `encoderfile runtime export`"
    )
    assert not (tmp_path / "file").exists()


def test_a_runtime_for_another_platform_than_asked_is_refused(exported: Path, tmp_path: Path) -> None:
    arguments = ("--platform", OTHER, "--base-binary-path", exported, "-o", tmp_path / "file")
    done = encoderfile("build", DEMO["sentiment"], *arguments)
    assert f"is for {this_platform()} and cpu, and the file would be for {OTHER}" in sentence(done)


def test_a_model_is_no_runtime(tmp_path: Path) -> None:
    model = DEMO["sentiment"] / "model.onnx"
    done = encoderfile("build", DEMO["sentiment"], "--base-binary-path", model, "-o", tmp_path / "file")
    assert "is neither a runtime, which `encoderfile runtime export` writes, nor a built file" in sentence(done)
