"""Whatever a folder's files hold: a model, or one sentence. Fixed seeds, so that a failure comes back."""

import json
import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from encoderfile.builder.check import check
from encoderfile.builder.config import BuildConfig
from encoderfile.errors import ConfigError, ModelError
from support.graphs import copy

JSON_FILES = [
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "modules.json",
    "1_Pooling/config.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
]
ODD: list[Any] = [
    *(None, True, 0, -1, 2**31, 2**70, 10**400, 1e308, math.inf, math.nan, 0.5),
    *("", "\ud800", "\0", "../../etc/passwd", "/etc/passwd", "x" * 5000, "\x1b[31m"),
    *([], {}, [[]], [None], {"a": 1}, [1] * 50),
]
ROUNDS = 12


def outcome(folder: Path) -> str:
    """`built`, or the refusal. Anything else is raised."""
    try:
        check(BuildConfig(path=folder)).graph.layout()
    except (ModelError, ConfigError) as refusal:
        return str(refusal)
    return "built"


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where in a JSON value something can be put in place of what is there."""
    if path:
        yield path
    if isinstance(value, dict):
        for key in list(value)[:50]:
            yield from places(value[key], (*path, key))
    elif isinstance(value, list):
        for index in range(min(len(value), 20)):
            yield from places(value[index], (*path, index))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copy("mpnet-embed", tmp_path / "model")


@pytest.mark.parametrize("name", JSON_FILES)
def test_odd_values_anywhere_in_a_json_file(folder: Path, name: str) -> None:
    chance = random.Random(name)
    good = json.loads((folder / name).read_text())
    everywhere = list(places(good))
    for _ in range(ROUNDS):
        *way, last = chance.choice(everywhere)
        changed = json.loads(json.dumps(good))
        inner = changed
        for key in way:
            inner = inner[key]
        inner[last] = chance.choice(ODD)
        (folder / name).write_text(json.dumps(changed))
        outcome(folder)


@pytest.mark.parametrize("name", [*JSON_FILES, "model.onnx"])
def test_bytes_that_flipped(folder: Path, name: str) -> None:
    chance = random.Random(name)
    good = (folder / name).read_bytes()
    for size in [len(good), 300] * (ROUNDS // 2):
        data = bytearray(good)
        for _ in range(4):
            data[chance.randrange(min(size, len(data)))] = chance.randrange(256)
        (folder / name).write_bytes(data)
        outcome(folder)


@pytest.mark.parametrize("name", JSON_FILES)
@pytest.mark.parametrize(
    "content",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
        b"[" * 20_000 + b"]" * 20_000,
        b"1" * 100_000,
        b'{"a": 1' + b"0" * 100_000 + b"}",
        b'{"a": "\xff"}',
        "{}".encode("utf-16"),
    ],
    ids=[
        "open lists",
        "open objects",
        "deep objects",
        "deep lists",
        "a long number",
        "a long value",
        "Latin",
        "UTF-16",
    ],
)
def test_json_that_no_exporter_writes(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    assert name in outcome(folder) or name == "special_tokens_map.json"


def test_the_last_of_two_keys_counts_as_in_the_library(folder: Path) -> None:
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 8, "max_seq_length": 16}')
    assert check(BuildConfig(path=folder)).manifest.tokenizer.max_length == 16
