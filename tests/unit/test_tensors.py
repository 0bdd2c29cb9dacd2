"""Tensors beside the graph: a safetensors file that is read as written, and refused when it is anything else."""

import json
import re

import numpy as np
import pytest

from encoderfile import tensors
from encoderfile.errors import ModelError
from support.refusals import one_sentence


def file_of(header: object, body: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def entry(dtype: str, shape: list[int], start: int, end: int) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


def test_what_is_written_is_read_again() -> None:
    given = {"b": np.arange(6, dtype=np.float32).reshape(2, 3), "a": np.array([1.5], dtype=np.float32)}
    found = tensors.read(tensors.write(given))
    assert found.keys() == given.keys()
    for name, tensor in given.items():
        np.testing.assert_array_equal(found[name], tensor)
        assert found[name].dtype == np.float32


def test_the_same_tensors_give_the_same_bytes_in_any_order() -> None:
    one, other = np.ones(3, dtype=np.float32), np.zeros((2, 2), dtype=np.float32)
    assert tensors.write({"x": one, "y": other}) == tensors.write({"y": other, "x": one})


@pytest.mark.parametrize(
    ("dtype", "data"),
    [
        ("F16", np.array([1.5, -2.0], dtype="<f2").tobytes()),
        ("F64", np.array([1.5, -2.0], dtype="<f8").tobytes()),
        ("F32", np.array([1.5, -2.0], dtype="<f4").tobytes()),
        ("BF16", np.array([1.5, -2.0], dtype="<f4").view("<u4").__rshift__(16).astype("<u2").tobytes()),
    ],
)
def test_other_sizes_of_floats_become_float32(dtype: str, data: bytes) -> None:
    header = {"__metadata__": {"format": "pt"}, "x": entry(dtype, [2], 0, len(data))}
    found = tensors.read(file_of(header, data))
    assert found.keys() == {"x"}
    np.testing.assert_array_equal(found["x"], np.array([1.5, -2.0], dtype=np.float32))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x05",
        (1 << 62).to_bytes(8, "little") + b"{}",
        file_of([]),
        file_of({"x": entry("I64", [1], 0, 8)}, bytes(8)),
        file_of({"x": entry("F32", [2], 0, 4)}, bytes(4)),
        file_of({"x": entry("F32", [1], 0, 4)}, bytes(2)),
        file_of({"x": entry("F32", [1], -4, 0)}, bytes(4)),
        file_of({"x": entry("F32", ["1"], 0, 4)}, bytes(4)),  # type: ignore[list-item]
        file_of({"x": {"dtype": "F32"}}, bytes(4)),
        (200_000).to_bytes(8, "little") + b"[" * 200_000,
    ],
    ids=range(11),
)
def test_a_file_that_is_not_complete_is_refused(data: bytes) -> None:
    with pytest.raises(ModelError) as refusal:
        tensors.read(data, "model.safetensors")
    assert re.match(
        r"model\.safetensors is not a complete safetensors file \(.*\): copy it again", one_sentence(refusal.value)
    )
