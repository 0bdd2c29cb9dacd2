"""Writes files as torch.save does, without torch."""

from __future__ import annotations

import io
import pickle
import sys
import types
import zipfile
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Tensor:
    """A view of `numbers`; tensors of the same array share a storage."""

    numbers: np.ndarray
    storage: str = "FloatStorage"
    shape: tuple[int, ...] = ()
    strides: tuple[int, ...] | None = None
    offset: int = 0
    size: int | None = None
    """What the pickle says of the storage, where it is not true."""

    def __reduce__(self) -> tuple[object, ...]:
        strides = self.strides or tuple(int(np.prod(self.shape[axis + 1 :])) for axis in range(len(self.shape)))
        return _torch("torch._utils", "_rebuild_tensor_v2"), (
            _Storage(self),
            self.offset,
            self.shape,
            strides,
            False,
            OrderedDict(),
        )


@dataclass(frozen=True, eq=False)
class Parameter:
    """What a module holds, where it is saved with its gradient's settings."""

    data: Tensor

    def __reduce__(self) -> tuple[object, ...]:
        return _torch("torch._utils", "_rebuild_parameter"), (self.data, True, OrderedDict())


@dataclass(frozen=True)
class _Storage:
    of: Tensor


def _torch(module: str, name: str) -> Any:
    """What pickles as `module.name`; pickle looks it up when it writes."""
    found = getattr(sys.modules[module], name, None)
    if found is None:
        found = type(name, (), {"__module__": module})
        setattr(sys.modules[module], name, found)
    return found


def saved(
    state: object,
    protocol: int = 2,
    compression: int = zipfile.ZIP_STORED,
    byteorder: bytes = b"little",
) -> bytes:
    """The file of `torch.save(state, "linear.pt")`, `Tensor` standing for a tensor of torch."""
    kept: dict[int, tuple[str, np.ndarray]] = {}

    class Pickler(pickle.Pickler):
        def persistent_id(self, value: object) -> object:
            if not isinstance(value, _Storage):
                return None
            tensor = value.of
            key, _ = kept.setdefault(id(tensor.numbers), (str(len(kept)), tensor.numbers))
            size = len(tensor.numbers) if tensor.size is None else tensor.size
            return ("storage", _torch("torch", tensor.storage), key, "cpu", size)

    modules = {name: types.ModuleType(name) for name in ("torch", "torch._utils")}
    before = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)
    try:
        pickled = io.BytesIO()
        Pickler(pickled, protocol).dump(state)
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.writestr("linear/data.pkl", pickled.getvalue())
        archive.writestr("linear/byteorder", byteorder)
        for key, numbers in kept.values():
            archive.writestr(f"linear/data/{key}", numbers.tobytes())
        archive.writestr("linear/version", b"3\n")
    return buffer.getvalue()
