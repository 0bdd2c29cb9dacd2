"""Flags laid over the YAML: what was given on the command line wins."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from encoderfile.builder.config import DEFAULT_VERSION, BuildConfig
from encoderfile.builder.config_sources import from_flags
from encoderfile.errors import ConfigError
from support.refusals import one_sentence

IN_FILE: dict[str, Any] = {
    "name": "from-file",
    "version": "1",
    "path": "in-file",
    "model_type": "embedding",
    "output_path": "out-file",
    "cache_dir": "cache-file",
    "device": "cpu",
    "onnx": "in-file/a.onnx",
    "output": "in-file",
    "inputs": {"task_id": 1, "input_ids": "tokens"},
    "tokenizer": {"max_length": 32, "truncation_side": "left"},
}

FLAGS: list[tuple[str, Any]] = [
    ("name", "from-flag"),
    ("version", "2"),
    ("model_type", "token_classification"),
    ("output_path", Path("out-flag")),
    ("cache_dir", Path("cache-flag")),
    ("device", "cuda"),
    ("onnx", Path("b.onnx")),
    ("output", "from-flag"),
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "build.yml"
    path.write_text(yaml.safe_dump({"encoderfile": IN_FILE}))
    return path


@pytest.mark.parametrize(("flag", "value"), FLAGS, ids=[flag for flag, _ in FLAGS])
def test_a_flag_wins_over_the_file(file: Path, flag: str, value: object) -> None:
    assert getattr(from_flags(None, file, **{flag: value}), flag) == value


@pytest.mark.parametrize("flag", [flag for flag, _ in FLAGS])
def test_a_flag_left_out_leaves_the_file_alone(file: Path, flag: str) -> None:
    assert from_flags(None, file, **{flag: None}) == from_flags(None, file)


def test_a_length_on_the_command_line_changes_nothing_else_of_the_tokenizer(file: Path) -> None:
    found = from_flags(None, file, max_length=16).tokenizer
    assert (found.max_length, found.truncation_side) == (16, "left")


def test_inputs_on_the_command_line_are_added_to_those_of_the_file(file: Path) -> None:
    found = from_flags(None, file, inputs=("task_id=2", "mask=attention=mask"))
    assert found.inputs == {"task_id": "2", "input_ids": "tokens", "mask=attention": "mask"}
    assert from_flags(None, file).inputs == {"task_id": "1", "input_ids": "tokens"}


@pytest.mark.parametrize("flag", ["task_id", "task_id=", "=0"])
def test_an_input_without_a_name_or_value_is_refused(file: Path, flag: str) -> None:
    with pytest.raises(ConfigError) as refused:
        from_flags(None, file, inputs=(flag,))
    assert one_sentence(refused.value) == (
        f"--input {flag} should be NAME=VALUE, as in input_ids=tokens or task_id=0"
    )


def test_a_folder_on_the_command_line_wins_with_the_graph_that_lies_in_it(file: Path) -> None:
    found = from_flags(Path("elsewhere"), file)
    assert (found.path, found.onnx, found.name) == (Path("elsewhere"), None, "from-file")


def test_a_folder_on_the_command_line_replaces_files_named_one_by_one(tmp_path: Path) -> None:
    paths = {"model_config_path": "a", "model_weights_path": "b.onnx", "tokenizer_path": "c"}
    (tmp_path / "build.yml").write_text(yaml.safe_dump({"encoderfile": {"path": paths}}))
    assert from_flags(Path("elsewhere"), tmp_path / "build.yml") == BuildConfig(path=Path("elsewhere"))


def test_a_graph_and_a_folder_on_the_command_line_both_win(file: Path) -> None:
    found = from_flags(Path("elsewhere"), file, onnx=Path("elsewhere/b.onnx"))
    assert (found.path, found.onnx) == (Path("elsewhere"), Path("elsewhere/b.onnx"))


def test_a_folder_alone_is_enough() -> None:
    found = from_flags(Path("some/bert"), None)
    assert (found.path, found.model_name, found.version, found.device) == (
        Path("some/bert"),
        "bert",
        DEFAULT_VERSION,
        "auto",
    )


def test_neither_folder_nor_file_is_refused() -> None:
    with pytest.raises(ConfigError) as refused:
        from_flags(None, None)
    assert one_sentence(refused.value) == "no model given: name its folder, or a YAML file with -f"


@pytest.mark.parametrize("name", ["/a", "a/", "a//b", "../a", "a/..", ".", "tab\there", "line\nbreak", "\x00"])
def test_a_name_that_is_not_a_file_name_is_refused(name: str) -> None:
    with pytest.raises(ConfigError) as refused:
        from_flags(Path("bert"), None, name=name)
    assert one_sentence(refused.value) == (
        f"the name {name!r} cannot be used: give printable text, like model or organisation/model"
    )


def test_a_name_as_hubs_give_it_names_the_file_by_its_last_part(tmp_path: Path) -> None:
    config = from_flags(Path("bert"), None, name="org/model")
    assert (config.model_name, config.target) == ("org/model", Path("model.encoderfile"))
    assert replace(config, output_path=tmp_path).target == tmp_path / "model.encoderfile"


def test_the_root_folder_gives_no_name() -> None:
    with pytest.raises(ConfigError, match="cannot be used"):
        from_flags(Path("/"), None)


def test_a_folder_is_named_by_where_it_really_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert from_flags(Path(), None).model_name == tmp_path.name


def test_the_executable_is_named_after_the_model(tmp_path: Path) -> None:
    assert from_flags(Path("bert"), None).target == Path("bert.encoderfile")
    assert from_flags(Path("bert"), None, name="x").target == Path("x.encoderfile")


def test_an_output_path_names_the_file_or_the_folder_it_goes_into(tmp_path: Path) -> None:
    assert from_flags(Path("bert"), None, output_path=tmp_path / "new").target == tmp_path / "new"
    assert from_flags(Path("bert"), None, output_path=tmp_path).target == tmp_path / "bert.encoderfile"


def test_a_folder_for_the_file_keeps_its_name(file: Path) -> None:
    assert from_flags(None, file, output_dir=Path("custom")).output_path == Path("custom/out-file")
    assert from_flags(Path("bert"), None, output_dir=Path("custom")).output_path == Path("custom/bert.encoderfile")
    named = from_flags(Path("bert"), None, output_dir=Path("custom"), name="org/x")
    assert named.output_path == Path("custom/x.encoderfile")


def test_a_directory_is_where_all_relative_paths_start(file: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    found = from_flags(None, file, elsewhere)
    assert (found.path, found.output_path, found.cache_dir) == (
        elsewhere / "in-file",
        elsewhere / "out-file",
        elsewhere / "cache-file",
    )
    flags = from_flags(Path("bert"), None, elsewhere, cache_dir=Path("cache"), onnx=Path("/graphs/a.onnx"))
    assert (flags.path, flags.cache_dir, flags.onnx) == (
        elsewhere / "bert",
        elsewhere / "cache",
        Path("/graphs/a.onnx"),
    )
    assert flags.output_path == elsewhere / "bert.encoderfile"
    assert from_flags(Path("bert"), None, elsewhere, Path("out")).output_path == elsewhere / "out/bert.encoderfile"
