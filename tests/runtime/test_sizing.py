"""How many padded tokens run at a time, where nobody says."""

import dataclasses
from types import SimpleNamespace
from typing import Any

import pytest

from encoderfile.manifest import GraphInput
from encoderfile.runtime.sizing import batch_tokens
from encoderfile.settings import ModelSettings
from support.payload import manifest


def model(
    max_length: int = 512, instances: int = 1, device: str = "cpu", shape: tuple[int, int] | None = None
) -> Any:
    described = manifest()
    graph = described.graph
    if shape:
        graph = dataclasses.replace(graph, inputs=(GraphInput("input_ids", "int64", *shape),))
    spec = dataclasses.replace(described.tokenizer, max_length=max_length)
    described = dataclasses.replace(described, tokenizer=spec, graph=graph)
    return SimpleNamespace(manifest=described, device=device, instances=instances)


@pytest.mark.parametrize(
    ("max_length", "instances", "tokens"),
    [
        (128, 2, (512, 512)),
        (400, 2, (800, 800)),
        (512, 2, (1024, 1024)),
        (8192, 2, (1024, 1024)),
        (512, 16, (8192, 1024)),
        (512, 1, (1024, 1024)),
        (128, 1, (1024, 1024)),
    ],
)
def test_every_instance_has_room_for_the_longest_text_up_to_a_limit(
    max_length: int, instances: int, tokens: tuple[int, int]
) -> None:
    assert batch_tokens(model(max_length, instances), ModelSettings()) == tokens


def test_what_is_asked_for_holds_for_both() -> None:
    assert batch_tokens(model(instances=16), ModelSettings(max_batch_tokens=70)) == (70, 70)


def test_cuda_takes_large_runs() -> None:
    assert batch_tokens(model(device="cuda"), ModelSettings()) == (16384, 16384)


def test_a_fixed_shape_is_filled() -> None:
    assert batch_tokens(model(128, shape=(32, 128)), ModelSettings()) == (4096, 4096)
