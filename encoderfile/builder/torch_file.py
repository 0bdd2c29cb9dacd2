"""Reads the tensors of a file that `torch.save` wrote (`.pt`, `pytorch_model.bin`) without unpickling it.

Such a file is a zip: `NAME/data.pkl` is a pickled state dict, `NAME/data/0` the numbers of its first storage. A
pickle is a program that may call any function, so it is never run: its opcodes are read, and the only ones that mean
anything here are those of a dict from names to tensors. All else is refused.
"""

from __future__ import annotations

import io
import pickletools
import shlex
import struct
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from encoderfile.builder import safe_read
from encoderfile.errors import ModelError
from encoderfile.types import FloatArray

_LONGEST_PICKLE = 4 << 20
"""Bytes; one of a thousand tensors has some 200 KB."""
_MOST_NUMBERS = 1 << 27
"""Of all tensors together: a stride of zero makes many of one."""
_MOST_AXES = 8

_STORAGES = {"HalfStorage": "<f2", "BFloat16Storage": "<u2", "FloatStorage": "<f4", "DoubleStorage": "<f8"}
"""The classes of `torch` that say what the numbers of a storage are."""


@dataclass(frozen=True, slots=True)
class _Global:
    """A class or function that the pickle names; it is never looked up."""

    module: str
    name: str


_REBUILD = _Global("torch._utils", "_rebuild_tensor_v2")
_PARAMETER = _Global("torch._utils", "_rebuild_parameter")
_ORDERED_DICT = _Global("collections", "OrderedDict")
_MARK = object()


class _Storage(NamedTuple):
    dtype: _Global
    key: str
    size: int


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read(path: Path) -> dict[str, FloatArray]:
    """Every tensor by its name, as float32 with the shape that it has in torch.

    float16, bfloat16 and float64 are converted. Raises `ModelError` for anything but a dict of tensors in the zip
    format, with the command that converts the file to safetensors.
    """
    data = safe_read.read(path)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _tensors(archive)
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        raise _refusal(path, " ".join(str(error).split())[:200]) from error
    except (
        zipfile.BadZipFile,
        struct.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        OSError,
        RecursionError,
    ) as error:
        raise _refusal(path, "it is damaged, or in the format of torch before 1.6") from error


def _refusal(path: Path, reason: str) -> ModelError:
    program = (
        "import sys, torch, safetensors.torch as s; s.save_file({k: v.contiguous().clone() for k, v in "
        "torch.load(sys.argv[1], map_location='cpu', weights_only=True).items()}, sys.argv[2])"
    )
    target = path.with_suffix(".safetensors")
    return ModelError(
        f"{path.name} cannot be read without running code from it ({reason}): convert it where torch is installed, "
        f'`python -c "{program}" {shlex.quote(str(path))} {shlex.quote(str(target))}`'
    )


def _tensors(archive: zipfile.ZipFile) -> dict[str, FloatArray]:
    entries = {each.filename: each for each in archive.infolist()}
    pickles = [name for name in entries if name.endswith("/data.pkl") and name.count("/") == 1]
    if len(pickles) != 1:
        raise ValueError(f"it holds {len(pickles)} pickles")
    prefix = pickles[0].removesuffix("data.pkl")

    def entry(name: str) -> bytes:
        found = entries.get(prefix + name)
        if found is None:
            raise ValueError(f"its part {name:.60} is missing")
        # What is not compressed is no larger than the file.
        if found.compress_type != zipfile.ZIP_STORED or found.file_size != found.compress_size:
            raise ValueError(f"its part {name:.60} is compressed")
        return archive.read(found)

    if prefix + "byteorder" in entries and entry("byteorder") != b"little":
        raise ValueError("its numbers are big-endian")
    if entries[pickles[0]].file_size > _LONGEST_PICKLE:
        raise ValueError("its pickle is too long")
    found = _state_dict(_load(entry("data.pkl")))
    if sum(_count(each.shape) for each in found.values()) > _MOST_NUMBERS:
        raise ValueError("its tensors are too large")
    storages: dict[str, bytes] = {}
    for each in found.values():
        if each.storage.key not in storages:
            storages[each.storage.key] = entry(f"data/{each.storage.key}")
    return {name: _array(each, storages[each.storage.key]) for name, each in found.items()}


def _state_dict(loaded: object) -> dict[str, _Tensor]:
    if not isinstance(loaded, dict):
        raise ValueError(f"it holds a {type(loaded).__name__} instead of a dict of tensors")
    for name, each in loaded.items():
        if not isinstance(each, _Tensor):
            raise ValueError(f"its entry {name!r:.60} is not a tensor")
    return loaded


def _count(shape: tuple[int, ...]) -> int:
    """Numbers of a tensor, exactly."""
    count = 1
    for size in shape:
        count *= size
    return count


def _array(tensor: _Tensor, data: bytes) -> FloatArray:
    kind = _STORAGES[tensor.storage.dtype.name]
    numbers = np.frombuffer(data[: len(data) // int(kind[2]) * int(kind[2])], dtype=kind)[: tensor.storage.size]
    count = _count(tensor.shape)
    if count == 0:
        return np.zeros(tensor.shape, dtype=np.float32)
    last = tensor.offset + sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.strides, strict=True))
    if last >= len(numbers):
        raise ValueError(f"a tensor of the shape {tensor.shape} lies outside of its storage")
    steps = [stride * numbers.itemsize for stride in tensor.strides]
    view = np.lib.stride_tricks.as_strided(numbers[tensor.offset :], tensor.shape, steps, writeable=False)
    if tensor.storage.dtype.name == "BFloat16Storage":
        view = (view.astype("<u4") << 16).view("<f4")
    found: FloatArray = np.array(view, dtype=np.float32, order="C")
    return found


def _load(data: bytes) -> object:
    """What the pickle describes, of dicts, tuples, strings, whole numbers and `_Tensor` alone."""
    machine = _Machine()
    for opcode, argument, _ in pickletools.genops(data):
        if opcode.name == "STOP":
            return machine.stack.pop()
        machine.step(opcode.name, argument)
    raise ValueError("its pickle has no end")


class _Machine:
    """The stack of a pickle. A program of n bytes makes at most n values."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def step(self, name: str, argument: Any) -> None:
        """Raises `ValueError` for an opcode that no dict of tensors has."""
        if name in _IGNORED:
            return
        if name in _LITERALS:
            self.stack.append(argument)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name]())
        elif name in ("BINPUT", "LONG_BINPUT", "MEMOIZE"):
            self._memo[len(self._memo) if argument is None else argument] = self.stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            if argument not in self._memo:
                raise ValueError("its pickle is damaged")
            self.stack.append(self._memo[argument])
        elif name == "GLOBAL":
            module, _, attribute = argument.partition(" ")
            self.stack.append(_known(module, attribute))
        elif name in _OPERATIONS:
            _OPERATIONS[name](self)
        else:
            raise ValueError(f"its pickle uses {name}")

    def marked(self) -> list[Any]:
        """What lies above the last mark, which is taken away too."""
        start = next((index for index in range(len(self.stack) - 1, -1, -1) if self.stack[index] is _MARK), None)
        if start is None:
            raise ValueError("its pickle is damaged")
        found = self.stack[start + 1 :]
        del self.stack[start:]
        return found

    def last(self, count: int) -> tuple[Any, ...]:
        """The last `count` values, which are taken away."""
        if len(self.stack) < count:
            raise ValueError("its pickle takes more than there is")
        found = tuple(self.stack[len(self.stack) - count :])
        del self.stack[len(self.stack) - count :]
        return found

    def set_items(self, items: list[Any]) -> None:
        target = self.stack[-1]
        # Strings alone: the hash of a tuple may take forever, as may the words for it in an error.
        if not isinstance(target, dict) or len(items) % 2 or not all(isinstance(each, str) for each in items[::2]):
            raise ValueError("its pickle is not that of a dict of tensors")
        target.update(zip(items[::2], items[1::2], strict=True))

    def reduce(self) -> None:
        called, arguments = self.last(2)
        if called == _ORDERED_DICT and arguments == ():
            self.stack.append({})
        elif called == _REBUILD and isinstance(arguments, tuple):
            self.stack.append(_tensor(*arguments))
        elif called == _PARAMETER and isinstance(arguments, tuple) and arguments:
            self.stack.append(arguments[0])
        else:
            raise ValueError("its pickle calls a function that makes no tensor")

    def build(self) -> None:
        """A state dict carries its modules' versions as an attribute, which says nothing of the numbers."""
        target, _ = self.last(2)
        if not isinstance(target, dict):
            raise ValueError("its pickle changes an object")
        self.stack.append(target)


_LITERALS = frozenset({"BINUNICODE", "SHORT_BINUNICODE", "BININT", "BININT1", "BININT2", "LONG1"})
_IGNORED = frozenset({"PROTO", "FRAME"})
_CONSTANTS: Mapping[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_TUPLE": tuple,
    "EMPTY_DICT": dict,
    "MARK": lambda: _MARK,
}
_OPERATIONS: Mapping[str, Callable[[_Machine], None]] = {
    "TUPLE1": lambda machine: machine.stack.append(machine.last(1)),
    "TUPLE2": lambda machine: machine.stack.append(machine.last(2)),
    "TUPLE3": lambda machine: machine.stack.append(machine.last(3)),
    "TUPLE": lambda machine: machine.stack.append(tuple(machine.marked())),
    "STACK_GLOBAL": lambda machine: machine.stack.append(_known(*machine.last(2))),
    "BINPERSID": lambda machine: machine.stack.append(_storage(*machine.last(1))),
    "SETITEM": lambda machine: machine.set_items(list(machine.last(2))),
    "SETITEMS": lambda machine: machine.set_items(machine.marked()),
    "REDUCE": _Machine.reduce,
    "BUILD": _Machine.build,
}


def _known(module: object, name: object) -> _Global:
    """Raises `ValueError` for a class or function that no dict of tensors needs."""
    if not (isinstance(module, str) and isinstance(name, str)):
        raise ValueError("its pickle is damaged")
    found = _Global(module, name)
    if found in (_REBUILD, _PARAMETER, _ORDERED_DICT) or (module == "torch" and name in _STORAGES):
        return found
    raise ValueError(f"its pickle names {module + '.' + name!r:.80}")


def _storage(said: object) -> _Storage:
    if not (isinstance(said, tuple) and len(said) >= 5 and said[0] == "storage"):
        raise ValueError("its pickle refers to something other than a storage")
    _, dtype, key, _, size = said[:5]
    if not (isinstance(dtype, _Global) and dtype.name in _STORAGES and isinstance(key, str)):
        raise ValueError("a storage of an unknown kind")
    return _Storage(dtype, key, *_whole_numbers((size,)))


def _tensor(storage: object, offset: object, shape: object, strides: object, *_: object) -> _Tensor:
    if not isinstance(storage, _Storage):
        raise ValueError("a tensor without a storage")
    sizes, steps = _whole_numbers(shape), _whole_numbers(strides)
    if len(sizes) != len(steps) or len(sizes) > _MOST_AXES:
        raise ValueError(f"a tensor with {len(sizes)} axes and {len(steps)} strides")
    (start,) = _whole_numbers((offset,))
    return _Tensor(storage, start, sizes, steps)


def _whole_numbers(values: object) -> tuple[int, ...]:
    """`values`, where that is what they are. Raises `ValueError` for anything else."""
    if not isinstance(values, tuple) or not all(type(each) is int and 0 <= each < 1 << 40 for each in values):
        raise ValueError("a tensor whose size, strides or offset are no whole numbers")
    return values
