"""How many padded tokens and instances run at a time."""

import dataclasses
from types import SimpleNamespace
from typing import Any

import pytest

from encoderfile.manifest import GraphInput
from encoderfile.runtime.loading import batch_tokens, instances
from encoderfile.settings import ModelSettings
from support.payload import manifest


def model(max_length: int = 512, count: int = 1, device: str = "cpu", shape: tuple[int, int] | None = None) -> Any:
    described = manifest()
    graph = described.graph
    if shape:
        graph = dataclasses.replace(graph, inputs=(GraphInput("input_ids", "int64", *shape),))
    spec = dataclasses.replace(described.tokenizer, max_length=max_length)
    described = dataclasses.replace(described, tokenizer=spec, graph=graph)
    return SimpleNamespace(manifest=described, device=device, instances=count)


@pytest.mark.parametrize(
    ("max_length", "count", "tokens"),
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
    max_length: int, count: int, tokens: tuple[int, int]
) -> None:
    assert batch_tokens(model(max_length, count), ModelSettings()) == tokens


def test_what_is_asked_for_holds_for_both() -> None:
    assert batch_tokens(model(count=16), ModelSettings(max_batch_tokens=70)) == (70, 70)


def test_cuda_takes_large_runs() -> None:
    assert batch_tokens(model(device="cuda"), ModelSettings()) == (16384, 16384)


def test_a_fixed_shape_is_filled() -> None:
    assert batch_tokens(model(128, shape=(32, 128)), ModelSettings()) == (4096, 4096)


@pytest.mark.parametrize(
    ("given", "granted", "says"),
    [
        ({}, 3, ""),
        ({"instances": 2}, 2, ""),
        ({"instances": 4}, 3, "--instances 4: only 3 run at the same time, one for each thread"),
        ({"no_lanes": True}, 1, "--no-lanes will be dropped: use --instances 1 (ENCODERFILE_INSTANCES=1)"),
    ],
)
def test_there_is_one_instance_for_each_thread_unless_fewer_are_asked_for(
    given: dict[str, Any], granted: int, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert instances(ModelSettings(threads=3, **given)) == granted
    assert "".join(caplog.messages) == says
