"""PyTorch files are read without running what they name."""

import io
import os
import pickle
import sys
import types
import zipfile
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from encoderfile.builder import torch_file
from encoderfile.errors import ModelError


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """As much of torch as pickles a state dict."""
    module, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for name in ("FloatStorage", "HalfStorage", "DoubleStorage", "BFloat16Storage", "LongStorage"):
        storage = type(name, (), {"__module__": "torch", "__qualname__": name})
        setattr(module, name, storage)

    def rebuild(*_: object) -> None:
        raise AssertionError("never called")

    rebuild.__module__ = "torch._utils"
    rebuild.__qualname__ = "_rebuild_tensor_v2"
    vars(utils)[rebuild.__qualname__] = rebuild
    vars(module).update(_utils=utils, rebuild=rebuild)
    monkeypatch.setitem(sys.modules, "torch", module)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)
    return module


class Stored:
    """A storage, which pickles as a persistent id."""

    def __init__(self, kind: type, key: str, count: int) -> None:
        self.pid = ("storage", kind, key, "cpu", count)


class Tensor:
    def __init__(self, torch: Any, stored: Stored, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]):
        self._call = (
            torch.rebuild,
            (stored, offset, shape, strides, False, OrderedDict()),
        )

    def __reduce__(self) -> Any:
        return self._call


class Pickler(pickle.Pickler):
    def persistent_id(self, each: Any) -> Any:
        return each.pid if isinstance(each, Stored) else None


def archive(path: Path, value: Any, storages: Mapping[str, bytes], **other: bytes) -> Path:
    stream = io.BytesIO()
    Pickler(stream, protocol=2).dump(value)
    return zipped(path, {"data.pkl": stream.getvalue(), **{f"data/{k}": v for k, v in storages.items()}, **other})


def zipped(path: Path, members: Mapping[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, data in members.items():
            file.writestr(f"head/{name}", data)
    return path


def test_views_of_one_storage_and_all_types_are_read(torch: Any, tmp_path: Path) -> None:
    numbers = np.arange(12, dtype=np.float32)
    shared = Stored(torch.FloatStorage, "0", 12)
    state = OrderedDict(
        weight=Tensor(torch, shared, 0, (3, 2), (2, 1)),
        turned=Tensor(torch, shared, 6, (2, 3), (1, 2)),
        half=Tensor(torch, Stored(torch.HalfStorage, "1", 2), 0, (2,), (1,)),
        double=Tensor(torch, Stored(torch.DoubleStorage, "2", 2), 0, (2,), (1,)),
        brain=Tensor(torch, Stored(torch.BFloat16Storage, "3", 2), 0, (2,), (1,)),
        one=Tensor(torch, shared, 5, (), ()),
    )
    vars(state)["_metadata"] = {"": {"version": 1}}  # as torch does
    pair = np.array([1.5, -2.0])
    storages = {
        "0": numbers.tobytes(),
        "1": pair.astype(np.float16).tobytes(),
        "2": pair.tobytes(),
        "3": (pair.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16).tobytes(),
    }
    found = torch_file.read(archive(tmp_path / "head.pt", state, storages, byteorder=b"little"))
    np.testing.assert_array_equal(found["weight"], numbers[:6].reshape(3, 2))
    np.testing.assert_array_equal(found["turned"], numbers[6:].reshape(3, 2).T)
    for name in ("half", "double", "brain"):
        np.testing.assert_array_equal(found[name], pair.astype(np.float32))
    assert found["one"] == 5
    assert {each.dtype for each in found.values()} == {np.dtype(np.float32)}


class Runs:
    """A pickle that runs a command."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self._path}",)


def test_code_in_a_file_is_never_run(torch: Any, tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    with pytest.raises(ModelError, match=r"it names \w+.system.*convert it where torch is installed"):
        torch_file.read(archive(tmp_path / "head.pt", {"weight": Runs(witness)}, {}))
    assert not witness.exists()


def refused(path: Path, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        torch_file.read(path)


def test_tensors_that_do_not_fit_their_storage_are_refused(torch: Any, tmp_path: Path) -> None:
    stored = Stored(torch.FloatStorage, "0", 4)
    for offset, shape, strides in [(0, (5,), (1,)), (3, (2,), (1,)), (0, (2, 2), (3, 1)), (0, (1 << 40,), (0,))]:
        state = {"weight": Tensor(torch, stored, offset, shape, strides)}
        refused(archive(tmp_path / "head.pt", state, {"0": bytes(16)}), "larger than its storage")
    for shape, strides in [((-1,), (1,)), ((2,), (1, 1))]:
        state = {"weight": Tensor(torch, stored, 0, shape, strides)}
        refused(archive(tmp_path / "head.pt", state, {"0": bytes(16)}), "a tensor of an unknown form")


def test_other_contents_are_refused(torch: Any, tmp_path: Path) -> None:
    path = tmp_path / "head.pt"
    refused(archive(path, {"weight": 1}, {}), "not a dict of tensors")
    refused(archive(path, [1], {}), "not a dict of tensors")
    whole = {"weight": Tensor(torch, Stored(torch.LongStorage, "0", 1), 0, (1,), (1,))}
    refused(archive(path, whole, {"0": bytes(8)}), "it names torch.LongStorage")
    missing = {"weight": Tensor(torch, Stored(torch.FloatStorage, "9", 1), 0, (1,), (1,))}
    refused(archive(path, missing, {}), "cannot be read")
    refused(zipped(path, {"other": b""}), "no data.pkl")
    refused(zipped(path, {"data.pkl": pickle.dumps({})}, zipfile.ZIP_DEFLATED), "compressed or too large")
    refused(archive(path, {}, {}, byteorder=b"big"), "not little-endian")
    path.write_bytes(b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.")  # how files began before torch 1.6
    refused(path, "is not a zip file")
