"""Files made to harm the commands that open built files: one sentence, and nothing outside of the folder."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from encoderfile.builder import built_files
from encoderfile.builder.built_files import extract, upgrade
from encoderfile.builder.container_writer import Part
from encoderfile.cli.commands import inspect
from encoderfile.container import Slice
from encoderfile.errors import ConfigError, ContainerError, EncoderfileError
from encoderfile.manifest import Manifest
from support.payload import crafted, manifest

FIELDS: list[tuple[str, Any]] = [
    *(("offset", value) for value in (-1, 1 << 40, 1 << 62, 1 << 70, "0", None, 0.5, True, [])),
    *(("length", value) for value in (-1, 1 << 40, 1 << 63, "0", None, {})),
    *(("name", value) for value in ("", "a\0b", None, 3, [], "../outside", "/tmp/outside", "a/../../outside")),
    ("sha256", None),
]


def opened_by_all(file: Path, folder: Path) -> list[str]:
    """What `inspect`, `extract` and `upgrade` refuse `file` with. Fails when one of them takes it."""
    refusals = []
    for command in (
        lambda: inspect.callback(file),  # type: ignore[misc]
        lambda: extract(file, folder / "out"),
        lambda: upgrade(file, folder / "new", None, folder / "cache", lambda _: None),
    ):
        with pytest.raises(EncoderfileError) as refused:
            command()
        refusals.append(str(refused.value))
    return refusals


@pytest.mark.parametrize(("field", "value"), FIELDS, ids=str)
def test_no_place_and_no_name_of_an_artifact_leads_astray(field: str, value: Any, tmp_path: Path) -> None:
    file = crafted(tmp_path, [Part("other", b"x" * 100), Part("config.json", b"[")], **{field: value})
    assert all(str(tmp_path) in text or "manifest" in text for text in opened_by_all(file, tmp_path))
    assert {path.name for path in tmp_path.iterdir()} <= {"launcher", "pack", "file", "out"}


@pytest.mark.parametrize("content", [b"[" * 100_000, b"{", b"\xff", b""], ids=["deep", "open", "no text", "empty"])
def test_inspect_of_a_config_that_is_not_json(content: bytes, tmp_path: Path) -> None:
    file = crafted(tmp_path, [Part("config.json", content)])
    with pytest.raises(ContainerError, match=r"has an invalid config\.json"):
        inspect.callback(file)  # type: ignore[misc]


def test_inspect_prints_what_no_text_holds(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    file = crafted(tmp_path, [Part("config.json", b'{"a": "\\ud800"}')])
    inspect.callback(file)  # type: ignore[misc]
    assert json.loads(capfdbinary.readouterr().out)["model_config"] == {"a": "\ud800"}


def test_inspect_of_a_model_that_needs_no_config(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    inspect.callback(crafted(tmp_path, [Part("graph.onnx", b"x")]))  # type: ignore[misc]
    assert json.loads(capfdbinary.readouterr().out)["model_config"] == {}


@pytest.mark.parametrize("names", [("graph.onnx", "model.onnx"), ("a", "./a")])
def test_two_artifacts_of_one_name_are_not_extracted(names: tuple[str, str], tmp_path: Path) -> None:
    file = crafted(tmp_path, [Part(name, name.encode()) for name in names])
    with pytest.raises(ContainerError, match="holds two files of one name"):
        extract(file, tmp_path / "out")


@pytest.mark.parametrize("name", ["a" * 300, "a/b/" * 2000 + "c"], ids=["long", "deep"])
def test_a_name_that_is_too_long_is_one_sentence(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot write into"):
        extract(crafted(tmp_path, [Part(name, b"x")]), tmp_path / "out")


def test_a_file_under_a_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot write into"):
        extract(crafted(tmp_path, [Part("a", b"x"), Part("a/b", b"x")]), tmp_path / "out")


@pytest.mark.parametrize("there", [True, False], ids=["an empty folder", "a new folder"])
@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_an_extraction_that_fails_leaves_nothing_in_the_way_of_the_next(
    failure: BaseException, there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = crafted(tmp_path, [Part("a", b"x"), Part("deep/b", b"x")])
    target = tmp_path / "new" / "out"
    if there:
        target.mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))

    def fails_at_the_second(piece: Slice, path: Path, advance: object) -> None:
        path.write_bytes(b"half")
        if path.name == "b":
            raise failure

    with monkeypatch.context() as patch:
        patch.setattr(built_files, "copy_out", fails_at_the_second)
        with pytest.raises(ConfigError if isinstance(failure, OSError) else KeyboardInterrupt):
            extract(file, target)
    assert sorted(tmp_path.rglob("*")) == before
    extract(file, target)
    assert (target / "deep" / "b").read_bytes() == b"x"


def test_upgrade_of_a_file_that_does_not_name_its_runtime_asks_for_it(tmp_path: Path) -> None:
    file = crafted(tmp_path, [Part("config.json", b"{}")])
    with pytest.raises(ContainerError, match="give --device"):
        upgrade(file, tmp_path / "new", None, tmp_path / "cache", lambda _: None)


@pytest.mark.parametrize("depth", [1000, 100_000])
def test_a_manifest_that_is_nested_too_deep_is_damage(depth: int) -> None:
    body = json.dumps(manifest().to_json() | {"prompts": "HERE"}).replace('"HERE"', "[" * depth + "]" * depth)
    with pytest.raises(ContainerError, match="cannot be read") if depth > 1000 else pytest.raises(ContainerError):
        Manifest.from_bytes(body.encode())


def test_a_pipe_is_not_a_built_file_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert all("pipe" in text for text in opened_by_all(tmp_path / "pipe", tmp_path))
