"""A graph that is cut, foreign or without its weights is refused in one sentence with its name."""

import random
from pathlib import Path

import onnx
import pytest

from encoderfile.builder.onnx_graph import OnnxGraph
from encoderfile.errors import ModelError
from support.graphs import copy, external, save_external
from support.models import MODELS

GOOD = MODELS / "bert-cls" / "model.onnx"


def refusal(path: Path) -> str:
    with pytest.raises(ModelError) as refused:
        OnnxGraph(path)
    text = str(refused.value)
    assert "\n" not in text
    return text


def with_external_weights(tmp_path: Path) -> Path:
    folder = copy("bert-cls", tmp_path / "model")
    save_external(folder)
    return folder / "model.onnx"


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.9999])
def test_a_truncated_graph_is_refused_with_its_size(tmp_path: Path, share: float) -> None:
    data = GOOD.read_bytes()
    cut = tmp_path / "model.onnx"
    cut.write_bytes(data[: int(len(data) * share)])
    assert refusal(cut) == (
        f"model.onnx is not a complete ONNX model ({int(len(data) * share)} bytes, truncated or damaged): "
        "copy it or export it again"
    )


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.touch()
    assert refusal(path) == "model.onnx is empty: export the model again"


def test_a_pointer_of_git_lfs_is_told_from_damage(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4665f\nsize 452341\n")
    assert refusal(path) == (
        "model.onnx is a Git LFS pointer, not the file itself: run `git lfs pull` in the folder it came from"
    )


@pytest.mark.parametrize(
    "content",
    [
        b"<!DOCTYPE html><html><title>404</title></html>",
        b'{"error": "Repository not found"}',
        b"PK\x03\x04" + bytes(100),
        bytes(100),
        b"\xff" * 100,
        b"\x08\x0a\x12\x07pytorch",
        b"\x0b\x0c",
    ],
    ids=["a web page", "JSON", "a zip", "zeros", "ones", "a header alone", "groups"],
)
def test_what_is_not_a_graph_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    assert "model.onnx is not a" in refusal(path)


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"cannot read {tmp_path}: Is a directory"


def test_any_damage_is_either_refused_or_outside_the_structure(tmp_path: Path) -> None:
    """Random damage never raises anything but the refusal."""
    chance = random.Random(11)
    good = GOOD.read_bytes()
    path = tmp_path / "model.onnx"
    refused = 0
    for _ in range(150):
        data = bytearray(good)
        for _ in range(20):
            data[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(data)
        try:
            OnnxGraph(path).layout()
        except ModelError:
            refused += 1
    assert 0 < refused < 150


def test_a_missing_data_file_is_named(tmp_path: Path) -> None:
    path = with_external_weights(tmp_path)
    path.with_name("model.onnx_data").unlink()
    assert refusal(path) == (
        "model.onnx keeps its weights in model.onnx_data, which is missing: "
        "copy model.onnx_data into the folder beside model.onnx"
    )


@pytest.mark.parametrize("left", [0, 1, -1])
def test_a_short_data_file_is_named_with_both_sizes(tmp_path: Path, left: int) -> None:
    path = with_external_weights(tmp_path)
    data = path.with_name("model.onnx_data")
    content = data.read_bytes()[:left]
    data.write_bytes(content)
    text = refusal(path)
    assert text.startswith(f"model.onnx_data has {len(content)} bytes and model.onnx needs ")
    assert text.endswith(": the file is truncated, copy it or export the model again")


def test_a_data_file_that_is_a_pointer_of_git_lfs_is_told_from_damage(tmp_path: Path) -> None:
    path = with_external_weights(tmp_path)
    path.with_name("model.onnx_data").write_text(
        "version https://git-lfs.github.com/spec/v1\noid sha256:4665f\nsize 452341\n"
    )
    assert refusal(path) == (
        "model.onnx_data is a Git LFS pointer, not the file itself: run `git lfs pull` in the folder it came from"
    )


@pytest.mark.parametrize("location", ["../secret", "/etc/hostname", "data/../../secret", ""])
def test_a_data_file_outside_the_folder_is_refused(tmp_path: Path, location: str) -> None:
    path = with_external_weights(tmp_path)
    (tmp_path / "secret").write_bytes(bytes(1_000_000))
    moved = relocate(path, location=location)
    text = refusal(path)
    assert text.startswith(f"model.onnx keeps the tensor {moved} in {location!r}, outside the model's folder")


@pytest.mark.parametrize(
    "entries",
    [
        {"offset": "-1"},
        {"length": "-4096"},
        {"offset": "99999999"},
        {"length": "99999999999999999999"},
        {"offset": "x"},
    ],
    ids=str,
)
def test_a_place_that_cannot_be_is_refused(tmp_path: Path, entries: dict[str, str]) -> None:
    path = with_external_weights(tmp_path)
    relocate(path, **entries)
    assert "model.onnx" in refusal(path)


def test_a_length_left_out_means_the_rest_of_the_file(tmp_path: Path) -> None:
    path = with_external_weights(tmp_path)
    model = onnx.load(path, load_external_data=False)
    tensor = max(model.graph.initializer, key=offset)
    kept = [(entry.key, entry.value) for entry in tensor.external_data if entry.key != "length"]
    del tensor.external_data[:]
    for key, value in kept:
        tensor.external_data.add(key=key, value=value)
    path.write_bytes(model.SerializeToString())
    found = next(each for each in OnnxGraph(path).tensors if each.name == tensor.name)
    assert found.offset + found.length == path.with_name("model.onnx_data").stat().st_size


def offset(tensor: onnx.TensorProto) -> int:
    return next((int(entry.value) for entry in tensor.external_data if entry.key == "offset"), 0)


def relocate(path: Path, **entries: str) -> str:
    model = onnx.load(path, load_external_data=False)
    tensor = model.graph.initializer[0]
    external(tensor, **entries)
    path.write_bytes(model.SerializeToString())
    return tensor.name
