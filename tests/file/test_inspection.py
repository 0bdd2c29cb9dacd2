"""`encoderfile check`, `inspect`, `version`: what can be known of a folder and of a file."""

import json
from pathlib import Path

import pytest

import encoderfile as package
from support.files import BuiltFile, encoderfile, sentence, tree
from support.models import DEMO


@pytest.mark.parametrize("command", ["version", "--version"])
def test_the_version_is_told(command: str) -> None:
    done = encoderfile(command)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"encoderfile {package.__version__}\n", "")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("sentiment", ["sequence_classification", "NEGATIVE, POSITIVE", "256 tokens"]),
        ("ner", ["token_classification", "B-PER", "256 tokens"]),
        ("embed", ["sentence_embedding", "mean, normalised", "256 tokens"]),
    ],
)
def test_check_says_what_a_folder_would_become_and_writes_nothing(
    name: str, words: list[str], tmp_path: Path
) -> None:
    before = tree(DEMO[name])
    done = encoderfile("check", DEMO[name], cwd=tmp_path)
    assert done.returncode == 0
    for word in words:
        assert word in done.stdout
    assert tree(DEMO[name]) == before
    assert not list(tmp_path.iterdir())


def test_inspect_prints_json_of_a_built_file(sentiment: BuiltFile) -> None:
    done = encoderfile("inspect", sentiment.path)
    facts = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert facts["encoderfile_config"] == {
        "name": "sentiment",
        "version": "0.1.0",
        "model_type": "sequence_classification",
        "transform": None,
        "lua_libs": None,
    }
    assert facts["model_config"] == json.loads((DEMO["sentiment"] / "config.json").read_text())
    assert facts["size"] == sentiment.path.stat().st_size
    assert {"graph.onnx", "tokenizer.json"} <= {each["name"] for each in facts["manifest"]["artifacts"]}


def test_inspect_of_another_file_is_one_sentence(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"#!/bin/sh\n" * 100)
    assert f"{other} is not a whole encoderfile" in sentence(encoderfile("inspect", other))
    assert str(tmp_path / "missing") in sentence(encoderfile("inspect", tmp_path / "missing"))
