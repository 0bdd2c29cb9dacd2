"""The manifest: written and read without loss, the same bytes for the same content."""

import json
from dataclasses import replace
from typing import Any

import pytest

import encoderfile
from encoderfile.errors import ContainerError
from encoderfile.manifest import (
    FORMAT_VERSION,
    Artifact,
    Card,
    GraphInput,
    GraphSpec,
    Manifest,
    PoolingSpec,
    TokenizerSpec,
)
from encoderfile.types import Example
from support.payload import manifest

FULL = manifest(
    (Artifact("graph.onnx", 4096, 17, "ab" * 32), Artifact("weights.bin", 8192, 4096, "cd" * 32)),
    name="müller/東京",
    model_type="sentence_embedding",
    graph=GraphSpec(
        (
            GraphInput("ids:0", "int32", 1, 16, role="input_ids"),
            GraphInput("attention_mask", "int64"),
            GraphInput("past_key_values.0.key", "float16", role="constant", value=0.0, shape=(None, 2, 0, 16)),
        ),
        "out",
        False,
    ),
    tokenizer=TokenizerSpec(16, 1, 2, "left", 16, "left", "only_first", 3),
    id2label=None,
    pooling=PoolingSpec(("cls", "mean"), True),
    multi_label=True,
    regression=True,
    matryoshka_dimensions=(8, 16),
    other_routes=("query",),
    max_padding_difference=1.25e-7,
)


@pytest.mark.parametrize(
    "before",
    [manifest(), FULL, manifest(id2label={index: f"L{index}" for index in range(12)})],
    ids=["labels", "pooling", "more than ten labels"],
)
def test_a_manifest_is_read_as_it_was_written(before: Manifest) -> None:
    after = Manifest.from_bytes(before.to_bytes())
    assert after == before
    if before.id2label is not None:
        assert after.id2label is not None
        assert all(after.id2label[index] == label for index, label in before.id2label.items())


def test_the_same_manifest_gives_the_same_bytes_whatever_the_order_of_its_keys() -> None:
    turned = manifest(id2label={1: "yes", 0: "no"})
    assert turned.to_bytes() == manifest(id2label={0: "no", 1: "yes"}).to_bytes()


def test_the_bytes_are_readable_json_with_the_format_version() -> None:
    body = json.loads(FULL.to_bytes())
    assert body["format_version"] == FORMAT_VERSION
    assert body["name"] == "müller/東京"
    assert "東京".encode() in FULL.to_bytes()


NEWER = manifest(builder_version="0.2.0").to_json()
"""As a later version may write it."""
BODIES: list[tuple[dict[str, Any], str]] = [
    ({"format_version": FORMAT_VERSION + 1}, f"format {FORMAT_VERSION + 1}"),
    ({"unheard": 1}, "field 'unheard'"),
    ({"graph": NEWER["graph"] | {"rhythm": None}}, "field 'rhythm'"),
    ({"graph": NEWER["graph"] | {"inputs": [NEWER["graph"]["inputs"][0] | {"rhyme": "abab"}]}}, "field 'rhyme'"),
    ({"tokenizer": NEWER["tokenizer"] | {"feet": 5}}, "field 'feet'"),
    ({"pooling": {"modes": ["mean"], "normalize": True, "verse": 1}}, "field 'verse'"),
    ({"artifacts": [{"name": "a", "offset": 0, "length": 0, "sha256": "", "font": ""}]}, "field 'font'"),
]


@pytest.mark.parametrize(("changes", "what"), BODIES, ids=[what for _, what in BODIES])
def test_what_a_newer_version_added_is_named_and_not_called_damage(changes: dict[str, Any], what: str) -> None:
    with pytest.raises(ContainerError) as refusal:
        Manifest.from_bytes(json.dumps(NEWER | changes).encode())
    assert str(refusal.value) == (
        f"this file was made by a newer encoderfile (0.2.0): encoderfile {encoderfile.__version__} does not know its "
        f"{what}; upgrade encoderfile, or build the file again with this version"
    )


@pytest.mark.parametrize("version", [None, 7, "1\x1b[2J", "x" * 5000], ids=["none", "a number", "control", "long"])
def test_a_version_that_nobody_gave_is_not_repeated(version: object) -> None:
    with pytest.raises(ContainerError) as refusal:
        Manifest.from_bytes(json.dumps(NEWER | {"builder_version": version, "unheard": 1}).encode())
    assert str(refusal.value).startswith("this file was made by a newer encoderfile: ")


def without(key: str) -> dict[str, Any]:
    body = manifest().to_json()
    del body[key]
    return body


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'"text"',
        b"{}",
        json.dumps(without("graph")).encode(),
        json.dumps(without("name")).encode(),
        json.dumps(manifest().to_json() | {"model_type": 7}).encode(),
        json.dumps(manifest().to_json() | {"artifacts": [1]}).encode(),
        json.dumps(manifest().to_json() | {"id2label": {"zero": "no"}}).encode(),
    ],
)
def test_what_is_not_a_manifest_is_damage_in_one_sentence(data: bytes) -> None:
    with pytest.raises(ContainerError) as refusal:
        Manifest.from_bytes(data)
    assert str(refusal.value) == "the manifest inside the file cannot be read: the file is damaged"


def test_an_artifact_is_found_by_its_name() -> None:
    found = FULL.artifact("weights.bin")
    assert found is not None
    assert found.offset == 8192
    assert FULL.artifact("unheard-of") is None


@pytest.mark.parametrize(
    ("graph", "batch", "tokens"),
    [
        (GraphSpec((GraphInput("input_ids", "int64"),), "out"), None, None),
        (GraphSpec((GraphInput("input_ids", "int64"), GraphInput("mask", "int64", 4, 16)), "out"), 4, 16),
        (GraphSpec((GraphInput("input_ids", "int64"),), "out", batchable=False), 1, None),
    ],
)
def test_a_fixed_shape_is_that_of_any_input(graph: GraphSpec, batch: int | None, tokens: int | None) -> None:
    assert (graph.fixed_batch, graph.fixed_tokens) == (batch, tokens)


def test_a_card_survives_and_older_files_have_none() -> None:
    example = Example(title="t", query="q", texts=("a", "b"), labels=("l",))
    card = Card(
        title="A model", license="mit", languages=("en",), examples=(example, Example(texts=("a",), second="b"))
    )
    before = replace(FULL, card=card)
    assert Manifest.from_bytes(before.to_bytes()) == before
    body = json.loads(before.to_bytes())
    del body["card"]
    assert Manifest.from_bytes(json.dumps(body).encode()) == FULL
