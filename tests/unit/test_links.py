"""What a model's folder only links to: followed inside it and inside the hub's cache, refused elsewhere."""

import os
from pathlib import Path

import pytest

from encoderfile.builder import safe_read
from encoderfile.builder.folder import open_folder
from encoderfile.builder.onnx_graph import OnnxGraph
from encoderfile.errors import ModelError
from support.graphs import copy, save_external
from support.hub import into_hub_cache
from support.refusals import one_sentence

NAMES = [
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "modules.json",
    "1_Pooling/config.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "model.onnx",
    "model.onnx_data",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = copy("mpnet-embed", tmp_path / "model")
    save_external(folder)
    return folder


def read_all(folder: Path) -> None:
    OnnxGraph(open_folder(folder).onnx)


def refusal(folder: Path) -> str:
    with pytest.raises(ModelError) as refused:
        read_all(folder)
    return one_sentence(refused.value)


def link_out(folder: Path, name: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    (folder / name).rename(target)
    (folder / name).symlink_to(target)


@pytest.mark.parametrize("name", NAMES)
def test_a_link_that_leaves_the_folder_is_refused(folder: Path, name: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    link_out(folder, name, secret)
    assert refusal(folder).startswith(f"{folder / name} is a link to {secret}, outside the model's folder")


@pytest.mark.parametrize("name", NAMES)
def test_a_link_inside_the_folder_is_followed(folder: Path, name: str) -> None:
    link_out(folder, name, folder / "kept" / "file")
    read_all(folder)


def test_a_folder_that_leaves_the_model_through_a_link_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "1_Pooling").rename(tmp_path / "secret")
    (folder / "1_Pooling").symlink_to("../secret")
    assert "outside the model's folder" in refusal(folder)


def test_the_models_folder_may_itself_be_a_link(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    read_all(tmp_path / "link")


@pytest.mark.parametrize("shared", [False, True], ids=["blobs of a repository", "blobs that repositories share"])
def test_a_snapshot_of_the_hubs_cache_is_followed(shared: bool, tmp_path: Path) -> None:
    repository = tmp_path / "hub" / "models--org--name"
    snapshot = copy("mpnet-embed", repository / "snapshots" / "1a2b3c")
    save_external(snapshot)
    (snapshot / "onnx").mkdir()
    for name in ("model.onnx", "model.onnx_data"):
        (snapshot / name).rename(snapshot / "onnx" / name)
    into_hub_cache(repository, shared=shared)
    assert all((snapshot / name).is_symlink() for name in ("config.json", "onnx/model.onnx_data"))
    read_all(snapshot)


@pytest.mark.parametrize("target", ["refs/main", "../models--other/blobs/1", "blobs/deeper/1", "../blobs/ab/short"])
def test_a_snapshot_leads_to_its_own_blobs_alone(target: str, tmp_path: Path) -> None:
    repository = tmp_path / "hub" / "models--org--name"
    snapshot = copy("mpnet-embed", repository / "snapshots" / "1a2b3c")
    link_out(snapshot, "config.json", repository / target)
    assert "outside the model's folder" in refusal(snapshot)


def test_blobs_that_are_a_link_elsewhere_are_not_followed(tmp_path: Path) -> None:
    repository = tmp_path / "hub" / "models--org--name"
    snapshot = copy("mpnet-embed", repository / "snapshots" / "1a2b3c")
    into_hub_cache(repository)
    (repository / "blobs").rename(tmp_path / "etc")
    (repository / "blobs").symlink_to(tmp_path / "etc")
    assert "outside the model's folder" in refusal(snapshot)


@pytest.mark.parametrize("name", NAMES)
def test_a_pipe_is_not_waited_for(folder: Path, name: str) -> None:
    (folder / name).unlink()
    os.mkfifo(folder / name)
    assert name.rsplit("/", maxsplit=1)[-1] in refusal(folder)


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_where_a_file_is_expected_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    (folder / name).mkdir()
    assert name.rsplit("/", maxsplit=1)[-1] in refusal(folder)


@pytest.mark.parametrize("name", NAMES)
def test_a_link_that_leads_nowhere_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    (folder / name).symlink_to(name.rsplit("/", maxsplit=1)[-1])
    assert name.rsplit("/", maxsplit=1)[-1] in refusal(folder)


def test_a_file_too_large_to_be_one_of_an_export_is_not_read(folder: Path) -> None:
    os.truncate(folder / "config.json", safe_read.LARGEST + 1)
    assert refusal(folder) == (f"{folder / 'config.json'} has 512 MB, more than the 512 MB allowed: copy it again")
