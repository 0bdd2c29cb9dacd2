"""Files that torch.save wrote: their tensors are read as torch would, and a pickle that does anything is refused."""

import contextlib
import io
import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from encoderfile.builder import torch_file
from encoderfile.errors import ModelError
from support.kinds import KINDS
from support.torch_files import Parameter, Tensor, saved

NUMBERS = np.arange(12, dtype=np.float32)


def written(folder: Path, data: bytes) -> Path:
    path = folder / "linear.pt"
    path.write_bytes(data)
    return path


def with_pickle(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("linear/data.pkl", data)
        archive.writestr("linear/data/0", NUMBERS.tobytes())
    return buffer.getvalue()


def refused(folder: Path, data: bytes) -> str:
    with pytest.raises(ModelError) as refusal:
        torch_file.read(written(folder, data))
    sentence = str(refusal.value)
    assert "linear.pt cannot be read without running code from it" in sentence
    assert "linear.safetensors" in sentence
    assert "\n" not in sentence
    assert len(sentence) < 1000
    return sentence


@pytest.mark.parametrize(
    ("storage", "numbers"),
    [
        ("FloatStorage", NUMBERS),
        ("HalfStorage", NUMBERS.astype("<f2")),
        ("DoubleStorage", NUMBERS.astype("<f8")),
        ("BFloat16Storage", (NUMBERS.view("<u4") >> 16).astype("<u2")),
    ],
)
def test_tensors_of_each_float_type_are_read_as_float32(tmp_path: Path, storage: str, numbers: np.ndarray) -> None:
    found = torch_file.read(written(tmp_path, saved({"weight": Tensor(numbers, storage, shape=(3, 4))})))
    assert found["weight"].dtype == np.float32
    np.testing.assert_array_equal(found["weight"], NUMBERS.reshape(3, 4))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_each_pickle_protocol_of_torch_is_read(tmp_path: Path, protocol: int) -> None:
    data = saved({"weight": Tensor(NUMBERS, shape=(12,))}, protocol=protocol)
    np.testing.assert_array_equal(torch_file.read(written(tmp_path, data))["weight"], NUMBERS)


def test_a_parameter_is_read_as_its_tensor(tmp_path: Path) -> None:
    data = saved({"weight": Parameter(Tensor(NUMBERS, shape=(12,)))})
    np.testing.assert_array_equal(torch_file.read(written(tmp_path, data))["weight"], NUMBERS)


def test_a_state_dict_with_the_versions_of_its_modules_is_read(tmp_path: Path) -> None:
    state: OrderedDict[str, object] = OrderedDict(weight=Tensor(NUMBERS, shape=(12,)))
    vars(state)["_metadata"] = {"": {"version": 1}}  # as torch does
    np.testing.assert_array_equal(torch_file.read(written(tmp_path, saved(state)))["weight"], NUMBERS)


def test_strides_offsets_and_a_shared_storage_are_as_in_torch(tmp_path: Path) -> None:
    tensors = {
        "transposed": Tensor(NUMBERS, shape=(4, 3), strides=(1, 4)),
        "row": Tensor(NUMBERS, shape=(4,), offset=8),
        "column": Tensor(NUMBERS, shape=(3,), strides=(4,), offset=1),
        "expanded": Tensor(NUMBERS, shape=(2, 3), strides=(0, 1), offset=2),
        "one": Tensor(NUMBERS, shape=(), offset=5),
        "none": Tensor(NUMBERS, shape=(0, 4), strides=(4, 1)),
    }
    found = torch_file.read(written(tmp_path, saved(tensors)))
    rows = NUMBERS.reshape(3, 4)
    np.testing.assert_array_equal(found["transposed"], rows.T)
    np.testing.assert_array_equal(found["row"], rows[2])
    np.testing.assert_array_equal(found["column"], rows[:, 1])
    np.testing.assert_array_equal(found["expanded"], [[2, 3, 4], [2, 3, 4]])
    assert found["one"] == 5
    assert found["none"].shape == (0, 4)
    assert all(each.flags.c_contiguous for each in found.values())


def test_the_heads_of_bge_m3_are_read() -> None:
    found = torch_file.read(KINDS["bge-m3-heads"] / "colbert_linear.pt")
    assert {name: each.shape for name, each in found.items()} == {"weight": (48, 48), "bias": (48,)}


class Calls:
    def __init__(self, *called: object) -> None:
        self.called = called

    def __reduce__(self) -> tuple[object, ...]:
        return self.called


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_pickle_that_calls_a_function_is_refused_and_calls_nothing(tmp_path: Path, protocol: int) -> None:
    proof = tmp_path / "proof"
    hostile = pickle.dumps({"weight": Calls(os.mkdir, (str(proof),))}, protocol)
    refused(tmp_path, with_pickle(hostile))
    assert not proof.exists()


def test_a_pickle_that_names_another_class_says_which(tmp_path: Path) -> None:
    assert "collections.deque" in refused(
        tmp_path, with_pickle(pickle.dumps({"a": Calls(__import__("collections").deque, ())}, 2))
    )


# Each of 60 tuples holds the one before it twice: words for it, or its hash, would take 2**60 steps.
_SHARED = b"\x80\x02)q\x00" + b"h\x00h\x00\x86q\x00" * 60
_DEEP = b"\x80\x02)" + b"\x85" * 500_000


@pytest.mark.parametrize(
    "program",
    [
        _SHARED + b".",
        _SHARED + b"Q.",
        _SHARED + b")R.",
        _SHARED + b"h\x00\x93.",
        b"\x80\x02}(" + _SHARED[2:] + b"K\x01u.",
        b"\x80\x02}" + _SHARED[2:] + b"b.",
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n" + _SHARED[2:] + b"R.",
        _DEEP + b".",
        b"\x80\x02}(" + _DEEP[2:] + b"K\x01u.",
        b"\x80\x02t.",
        b"\x80\x02u.",
        b"\x80\x02R.",
        b"\x80\x02.",
        b"\x80\x02h\x07.",
        b"\x80\x02}",
        b"\x80\x02]q\x00h\x00a.",
        b"\x80\x02X\xff\xff\xff\x7fabc.",
        b"\xff",
        b"",
    ],
)
def test_a_hostile_pickle_is_refused_at_once(tmp_path: Path, program: bytes) -> None:
    refused(tmp_path, with_pickle(program))


@pytest.mark.parametrize(
    "tensor",
    [
        Tensor(NUMBERS, shape=(13,)),
        Tensor(NUMBERS, shape=(3, 4), strides=(4, 2)),
        Tensor(NUMBERS, shape=(1,), offset=12),
        Tensor(NUMBERS, shape=(2,), strides=(-1,), offset=3),
        Tensor(NUMBERS, shape=(1,), offset=-1),
        Tensor(NUMBERS, shape=(1 << 30, 1 << 30), strides=(0, 0)),
        Tensor(NUMBERS, shape=(1 << 28,), strides=(0,)),
        Tensor(NUMBERS, shape=(1,) * 30, strides=(1,) * 30),
        Tensor(NUMBERS, shape=(12,), size=1 << 20, strides=(1000,)),
        Tensor(NUMBERS, "LongStorage", shape=(6,)),
    ],
)
def test_a_tensor_outside_of_its_storage_or_of_another_type_is_refused(tmp_path: Path, tensor: Tensor) -> None:
    refused(tmp_path, saved({"weight": tensor}))


def test_a_file_that_is_cut_anywhere_is_refused(tmp_path: Path) -> None:
    data = saved({"weight": Tensor(NUMBERS, shape=(12,))})
    for length in range(0, len(data), 23):
        refused(tmp_path, data[:length])


def test_a_byte_changed_anywhere_gives_a_refusal_or_tensors(tmp_path: Path) -> None:
    data = saved({"weight": Tensor(NUMBERS, shape=(12,))})
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 0xFF
        path = written(tmp_path, bytes(changed))
        with contextlib.suppress(ModelError):
            assert all(each.dtype == np.float32 for each in torch_file.read(path).values())


def test_the_format_before_torch_1_6_is_refused_by_name(tmp_path: Path) -> None:
    assert "before 1.6" in refused(tmp_path, pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2))


def test_a_compressed_file_and_one_of_big_endian_numbers_are_refused(tmp_path: Path) -> None:
    tensors = {"weight": Tensor(np.zeros(100_000, dtype=np.float32), shape=(100_000,))}
    assert "compressed" in refused(tmp_path, saved(tensors, compression=zipfile.ZIP_DEFLATED))
    assert "big-endian" in refused(tmp_path, saved({"weight": Tensor(NUMBERS, shape=(12,))}, byteorder=b"big"))


def test_what_is_no_dict_of_tensors_is_refused(tmp_path: Path) -> None:
    for other in ((1, 2), {"weight": 3}, {"module": {"weight": Tensor(NUMBERS, shape=(12,))}}):
        refused(tmp_path, saved(other))
