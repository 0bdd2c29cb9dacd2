"""`encoderfile build` and `check` of folders that cannot be built: one sentence, exit 1, nothing written."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from support.files import encoderfile, sentence, tree
from support.models import DEMO


def cut_graph(export: Path) -> None:
    data = (export / "model.onnx").read_bytes()
    (export / "model.onnx").write_bytes(data[: len(data) // 2])


def pointer(export: Path) -> None:
    (export / "model.onnx").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "is not there": (shutil.rmtree, "export"),
    "is empty": (lambda export: [path.unlink() for path in export.iterdir()], "model.onnx"),
    "has no graph": (lambda export: (export / "model.onnx").unlink(), "model.onnx"),
    "has no config": (lambda export: (export / "config.json").unlink(), "config.json"),
    "has no tokenizer": (lambda export: (export / "tokenizer.json").unlink(), "tokenizer.json"),
    "has a cut graph": (cut_graph, "model.onnx"),
    "has a pointer for a graph": (pointer, "model.onnx"),
    "has a config that is no JSON": (lambda export: (export / "config.json").write_text("{"), "config.json"),
    "has a tokenizer that is no JSON": (
        lambda export: (export / "tokenizer.json").write_text("[]"),
        "tokenizer.json",
    ),
}


@pytest.mark.parametrize("command", ["build", "check"])
@pytest.mark.parametrize(("spoil", "named"), BROKEN.values(), ids=BROKEN)
def test_a_folder_that_cannot_be_built_is_one_sentence_and_nothing_is_written(
    spoil: Callable[[Path], object], named: str, command: str, tmp_path: Path
) -> None:
    export = shutil.copytree(DEMO["sentiment"], tmp_path / "export")
    spoil(export)
    before = tree(tmp_path)
    flags = ["-o", tmp_path / "out" / "model", "--report", tmp_path / "report.json"] if command == "build" else []
    done = encoderfile(command, export, *flags, cwd=tmp_path)
    assert named in sentence(done, after_steps=True)
    assert [line for line in done.stderr.splitlines() if not line.startswith("checking ")] == [
        done.stderr.splitlines()[-1]
    ]
    assert tree(tmp_path) == before


def test_an_older_file_stays_when_the_build_fails(tmp_path: Path) -> None:
    export = shutil.copytree(DEMO["sentiment"], tmp_path / "export")
    cut_graph(export)
    target = tmp_path / "model"
    target.write_text("the older file")
    sentence(encoderfile("build", export, "-o", target), after_steps=True)
    assert target.read_text() == "the older file"


@pytest.mark.parametrize(
    "arguments",
    [
        ["build", "--no-such-flag"],
        ["build", "folder", "--device", "tpu"],
        ["build", "folder", "--max-length", "0"],
        ["build", "folder", "--model-type", "image"],
        ["check", "one", "two"],
        ["inspect"],
        ["nonsense"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_exit_code_2_and_says_what_is_wrong(arguments: list[str], tmp_path: Path) -> None:
    done = encoderfile(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Usage: encoderfile")
    assert "\n\nerror: " in done.stderr
    assert not list(tmp_path.iterdir())
