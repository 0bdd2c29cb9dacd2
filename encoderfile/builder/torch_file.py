"""Tensors of a PyTorch file (`.pt`, `pytorch_model.bin`), without running any code that the file names.

The file is a zip archive of a pickled dict and of the bytes of each storage
(https://docs.pytorch.org/docs/stable/notes/serialization.html). The pickle may name what a dict of tensors needs and
nothing else.
"""

from __future__ import annotations

import io
import math
import pickle
import shlex
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from encoderfile.builder import safe_read
from encoderfile.errors import ModelError
from encoderfile.types import FloatArray

_DTYPES = {
    "FloatStorage": ("<f4", 4),
    "HalfStorage": ("<f2", 2),
    "DoubleStorage": ("<f8", 8),
    "BFloat16Storage": ("<u2", 2),
}
_LARGEST_PICKLE = 16 << 20
"""Bytes of the dict without the tensors' own."""


def read(path: Path) -> dict[str, FloatArray]:
    """Every tensor by its name, as float32; float16, bfloat16 and float64 are converted.

    Raises `ModelError` for a file of another form, with the command that converts it.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(safe_read.read(path))) as archive:
            return _Archive(archive).tensors()
    except _UnsupportedError as error:
        reason = str(error)
    except Exception as error:  # what a damaged pickle raises has no base of its own
        reason = " ".join(str(error).split())[:120] or type(error).__name__
    target = path.with_suffix(".safetensors")
    raise ModelError(
        f"{path.name} cannot be read without running code from it ({reason}): convert it where torch is installed, "
        f'`python -c "import sys, torch, safetensors.torch as s; s.save_file({{k: v.contiguous().clone() for k, v in '
        f"torch.load(sys.argv[1], map_location='cpu').items()}}, sys.argv[2])\" {shlex.quote(str(path))} "
        f"{shlex.quote(str(target))}`"
    )


class _UnsupportedError(Exception):
    """What the file holds and this reader does not take."""


@dataclass(frozen=True, slots=True)
class _Storage:
    """One run of numbers."""

    dtype: str
    key: str


@dataclass(frozen=True, slots=True)
class _Tensor:
    """A view of a storage, in numbers."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Dict(dict[Any, Any]):
    """`OrderedDict` of a state dict; its attributes are dropped."""

    def __setstate__(self, state: object) -> None:
        pass


def _rebuild_tensor(storage: object, offset: object, shape: object, strides: object, *_: object) -> _Tensor:
    if not isinstance(storage, _Storage) or not isinstance(shape, tuple) or not isinstance(strides, tuple):
        raise _UnsupportedError("a tensor of an unknown form")
    numbers = (offset, *shape, *strides)
    if len(shape) != len(strides) or not all(type(each) is int and each >= 0 for each in numbers):
        raise _UnsupportedError("a tensor of an unknown form")
    return _Tensor(storage, int(str(offset)), shape, strides)


def _rebuild_parameter(data: object, *_: object) -> object:
    return data


class _Reader(pickle.Unpickler):
    """Knows the classes of a state dict; any other is an error."""

    _KNOWN: ClassVar[Mapping[tuple[str, str], Any]] = {
        ("collections", "OrderedDict"): _Dict,
        ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
        ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
        **{("torch", name): name for name in _DTYPES},
    }

    def find_class(self, module: str, name: str) -> Any:
        found = self._KNOWN.get((module, name))
        if found is None:
            raise _UnsupportedError(f"it names {module}.{name}")
        return found

    def persistent_load(self, pid: object) -> _Storage:
        if not isinstance(pid, tuple) or len(pid) != 5 or pid[0] != "storage" or pid[1] not in _DTYPES:
            raise _UnsupportedError("a storage of an unknown form")
        return _Storage(str(pid[1]), str(pid[2]))


class _Archive:
    """The zip file."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        pickled = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        if len(pickled) != 1:
            raise _UnsupportedError("it has no data.pkl")
        self._root = pickled[0].removesuffix("data.pkl")
        self._arrays: dict[_Storage, FloatArray] = {}

    def tensors(self) -> dict[str, FloatArray]:
        order = f"{self._root}byteorder"
        if order in self._archive.namelist() and self._bytes(order, 16) != b"little":
            raise _UnsupportedError("its numbers are not little-endian")
        pickled = self._bytes(f"{self._root}data.pkl", _LARGEST_PICKLE)
        found = _Reader(io.BytesIO(pickled)).load()
        if not isinstance(found, dict) or not all(
            isinstance(name, str) and isinstance(tensor, _Tensor) for name, tensor in found.items()
        ):
            raise _UnsupportedError("it is not a dict of tensors")
        return {name: self._array(tensor) for name, tensor in found.items()}

    def _bytes(self, name: str, most: int) -> bytes:
        """A member, which torch never compresses: so none is larger than the file."""
        info = self._archive.getinfo(name)
        if info.compress_type != zipfile.ZIP_STORED or info.file_size > most:
            raise _UnsupportedError(f"{name} is compressed or too large")
        return self._archive.read(info)

    def _storage(self, storage: _Storage) -> FloatArray:
        if storage not in self._arrays:
            kind, size = _DTYPES[storage.dtype]
            data = self._bytes(f"{self._root}data/{storage.key}", safe_read.LARGEST)
            raw: Any = np.frombuffer(data[: len(data) // size * size], dtype=kind)
            if storage.dtype == "BFloat16Storage":
                raw = (raw.astype("<u4") << 16).view("<f4")
            self._arrays[storage] = raw.astype(np.float32, copy=False)
        return self._arrays[storage]

    def _array(self, tensor: _Tensor) -> FloatArray:
        numbers = self._storage(tensor.storage)
        steps = zip(tensor.shape, tensor.strides, strict=True)
        last = tensor.offset + sum((size - 1) * stride for size, stride in steps)
        if 0 in tensor.shape or last >= len(numbers) or math.prod(tensor.shape) > len(numbers):
            raise _UnsupportedError("a tensor is larger than its storage")
        strides = tuple(4 * stride for stride in tensor.strides)
        view = np.lib.stride_tricks.as_strided(numbers[tensor.offset :], tensor.shape, strides, writeable=False)
        found: FloatArray = np.ascontiguousarray(view)
        return found
