"""`read_metadata`: what a built file says of itself, and how other files are refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from encoderfile import EncoderfileConfig, InspectInfo, ModelConfig, read_metadata
from encoderfile.builder.container_writer import Part
from support.payload import crafted, manifest


def read(folder: Path, config: bytes | dict[str, Any] | None, **changes: Any) -> InspectInfo:
    """Of a file with this config.json, and a manifest that says what `changes` say."""
    data = json.dumps(config).encode() if isinstance(config, dict) else config
    parts = [Part("graph.onnx", b"x"), *([] if data is None else [Part("config.json", data)])]
    return read_metadata(crafted(folder, parts, of=lambda artifacts: manifest(artifacts, **changes)))


def test_a_classifier_has_its_labels(tmp_path: Path) -> None:
    labels = {"id2label": {"0": "no", "1": "yes"}, "label2id": {"no": 0, "yes": 1}}
    assert read(tmp_path, {"model_type": "bert", **labels}) == InspectInfo(
        ModelConfig("bert", 2, {0: "no", 1: "yes"}, {"no": 0, "yes": 1}),
        EncoderfileConfig("tiny", "1.2.3", "sequence_classification", None, None),
    )


def test_a_transform_is_told_with_its_libraries(tmp_path: Path) -> None:
    script = "function Postprocess(arr) return arr:exp() end  -- größer"
    parts = [Part("transform.lua", script.encode())]
    file = crafted(tmp_path, parts, of=lambda artifacts: manifest(artifacts, lua_libs=("math", "table")))
    config = read_metadata(file).encoderfile_config
    assert (config.transform, config.lua_libs) == (script, ["math", "table"])


def test_an_embedding_model_has_none(tmp_path: Path) -> None:
    found = read(tmp_path, {"model_type": "bert"}, model_type="embedding", id2label=None)
    assert found.model_config == ModelConfig("bert", None, None, None)


def test_labels_that_config_json_leaves_out_are_those_of_the_answers(tmp_path: Path) -> None:
    assert read(tmp_path, {"num_labels": 2}).model_config == ModelConfig("", 2, {0: "no", 1: "yes"}, None)


@pytest.mark.parametrize(
    "config",
    [
        {"id2label": {"a": "b"}, "label2id": {"a": "b"}, "num_labels": "many"},
        {"id2label": ["a"], "label2id": 3},
        {"id2label": {"-1": "a"}, "label2id": ["a"]},
        None,
    ],
    ids=["names", "lists", "negative", "no file"],
)
def test_what_names_no_labels_is_none(config: dict[str, Any] | None, tmp_path: Path) -> None:
    assert read(tmp_path, config, id2label=None).model_config == ModelConfig("", None, None, None)


@pytest.mark.parametrize("config", [b"{", b"[]", b"\xff", b"[" * 100_000], ids=["open", "list", "no text", "deep"])
def test_a_config_that_cannot_be_read_is_refused(config: bytes, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"has an invalid config\.json"):
        read(tmp_path, config)


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"#!/bin/sh\n" * 100)
    with pytest.raises(ValueError, match="is not a whole encoderfile"):
        read_metadata(str(tmp_path / "other"))
    with pytest.raises(RuntimeError, match="is not a whole encoderfile"):
        read_metadata(tmp_path / "other")
