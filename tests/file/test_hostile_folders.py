"""The real command on folders and files made to harm it: one sentence, exit 1, nothing written, no waiting."""

import errno
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from support.files import COMMAND, PATIENCE, BuiltFile, builder_environment, encoderfile, sentence, tree
from support.models import DEMO


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def leads_out(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/hostname")


def deep(path: Path) -> None:
    path.write_text("[" * 100_000)


def endless(path: Path) -> None:
    body = json.loads(path.read_text())
    body["pre_tokenizer"] = {
        "type": "Split",
        "pattern": {"Regex": "(a+)+$"},
        "behavior": "Isolated",
        "invert": False,
    }
    path.write_text(json.dumps(body))


HARM: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "a pipe for a graph": ("model.onnx", pipe, "it is a pipe or a device"),
    "a pipe for a config": ("config.json", pipe, "it is a pipe or a device"),
    "a config elsewhere": ("config.json", leads_out, "outside the model's folder"),
    "a tokenizer elsewhere": ("tokenizer.json", leads_out, "outside the model's folder"),
    "a graph elsewhere": ("model.onnx", leads_out, "outside the model's folder"),
    "a deep config": ("config.json", deep, "nested too deep"),
    "a deep tokenizer": ("tokenizer.json", deep, "nested too deep"),
    "a pattern without an end": ("tokenizer.json", endless, "takes too long on some texts"),
}


@pytest.mark.parametrize("command", ["build", "check"])
@pytest.mark.parametrize(("name", "harm", "words"), HARM.values(), ids=HARM)
def test_a_folder_made_to_harm_is_one_sentence(
    command: str, name: str, harm: Callable[[Path], object], words: str, tmp_path: Path
) -> None:
    export = shutil.copytree(DEMO["sentiment"], tmp_path / "export")
    harm(export / name)
    before = tree(tmp_path)
    flags = ["-o", tmp_path / "out" / "model"] if command == "build" else []
    assert words in sentence(encoderfile(command, export, *flags, cwd=tmp_path), after_steps=True)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("length", [300, 5000])
def test_a_path_that_is_too_long_is_one_sentence(length: int, tmp_path: Path) -> None:
    long = "x" * length
    for arguments in (
        ["check", long],
        ["build", "-f", long],
        ["inspect", long],
        ["upgrade", long],
        ["extract", long, tmp_path / "out"],
        ["build", DEMO["sentiment"], "-o", tmp_path / long],
        ["build", DEMO["sentiment"], "--name", long, "-o", tmp_path / long / "model"],
    ):
        assert os.strerror(errno.ENAMETOOLONG) in sentence(encoderfile(*arguments, cwd=tmp_path), after_steps=True)
    assert not list(tmp_path.iterdir())


def test_a_name_that_is_just_short_enough_is_built_and_a_folder_that_is_made_is_said(tmp_path: Path) -> None:
    target = tmp_path / "new" / "folder" / ("x" * 255)
    done = encoderfile("build", DEMO["sentiment"], "-o", target)
    assert (done.returncode, done.stdout) == (0, f"{target}\n"), done.stderr
    assert f"made the folder {target.parent}\n" in done.stderr


def test_a_path_that_is_not_unicode_is_printed_as_it_is(tmp_path: Path) -> None:
    target = os.fsencode(tmp_path) + b"/\xff.encoderfile"
    command = [COMMAND, "build", DEMO["sentiment"], "--name", "model", "-o", target, "--report", tmp_path / "report"]
    done = subprocess.run(
        command,
        env=builder_environment(),
        capture_output=True,
        check=False,
        timeout=PATIENCE,
        stdin=subprocess.DEVNULL,
    )
    assert (done.returncode, done.stdout) == (0, target + b"\n"), done.stderr
    assert json.loads((tmp_path / "report").read_text())["path"] == os.fsdecode(target)


@pytest.mark.parametrize("flag", ["--name", "--model-version"])
def test_a_name_that_is_not_unicode_is_one_sentence(flag: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [COMMAND, "build", DEMO["sentiment"], flag, b"a\xffb", "-o", tmp_path / "model"],
        env=builder_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert "cannot be used: give printable text" in sentence(done)
    assert not list(tmp_path.iterdir())


def test_inspect_upgrade_and_extract_do_not_wait_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for arguments in (["inspect"], ["upgrade"], ["extract"]):
        more = [tmp_path / "out"] if arguments == ["extract"] else []
        assert str(tmp_path / "pipe") in sentence(encoderfile(*arguments, tmp_path / "pipe", *more))


def test_the_front_page_of_a_real_file(sentiment: BuiltFile) -> None:
    with sentiment.serve() as server:
        text = httpx.get(server.url).text
        assert text.startswith("sentiment 0.1.0\nsequence_classification, served by encoderfile ")
        assert "/mcp  POST" in text.splitlines()
        assert httpx.get(server.url, headers={"accept": "text/html"}).text.startswith("<!DOCTYPE html>")
