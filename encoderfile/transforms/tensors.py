"""The tensors of a script: arrays by their handles, and what can be done with them, in numpy.

Axes count from 1, as everything in Lua. Arrays are float32 and never changed. What an operation makes is bounded
before it is made.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from encoderfile.types import FloatArray

DONE, FAILED, FULL = 0, 1, 2
"""The first value that Lua gets: what was asked for follows; a sentence follows; unused tensors should be swept."""
ELEMENTS = 16 << 20
"""Numbers that the tensors of a run may hold together."""
SHARE = 8
"""The same as a multiple of the graph's output, where that is more."""

_FIRST_HANDLE = 1 << 32
"""Handles are no other number that Lua sends."""
_MAX_AXES = 8
_CALL_COST, _ELEMENTS_PER_INSTRUCTION = 500, 8
_PARTIAL = (b"length", b"slice", b"numbers", b"add", b"ndim", b"size", b"text", b"keep")
"""What does not read the whole tensor."""
_CHUNK = 1024
"""Numbers that Lua gets at a time."""
_SHOWN = 200
"""Numbers of a tensor as text."""
_LEAST_NORM = 1e-12


class _FailedError(Exception):
    """What a script did wrong, in a sentence."""


class _FullError(Exception):
    """There is no room for another tensor."""


class Tensors:
    """Those of one Lua state. `ask` is all that its sandbox can call."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """`say` gets the lines that a script prints."""
        self._say = say
        self._late_at = 0.0
        self._limit = ELEMENTS
        self._arrays: dict[int, FloatArray] = {}
        self._parts: list[Any] = []
        self._kept: set[int] = set()
        self._last = _FIRST_HANDLE
        self._live = 0
        self.raised: BaseException | None = None
        """What was raised in a run and is no failure of the script: Ctrl-C, want of memory."""

    def begin_run(self, seconds: float, *arrays: FloatArray) -> list[int]:
        """The handles of `arrays`, for a run that may take so long."""
        self.end_run()
        self._late_at = time.monotonic() + seconds
        self.raised = None
        self._limit = max(ELEMENTS, SHARE * max(each.size for each in arrays))
        return [self._new(each) for each in arrays]

    def array(self, handle: int) -> FloatArray:
        return self._arrays[handle]

    def end_run(self) -> None:
        """Forgets all tensors."""
        self._arrays.clear()
        self._parts.clear()
        self._kept.clear()
        self._live = 0

    def ask(self, name: bytes, *values: Any) -> tuple[int, Any, int]:
        """What a function of the sandbox asks for: a code, a value, and its cost in instructions. Raises nothing."""
        before = self._live
        try:
            found = getattr(self, f"_do_{name.decode()}")(*values)
        except _FailedError as failure:
            return FAILED, str(failure).encode(), _CALL_COST
        except _FullError:
            return FULL, b"the tensors take too much memory", _CALL_COST
        except BaseException as error:
            self.raised = error
            return FAILED, b"it was interrupted", _CALL_COST
        read = () if name in _PARTIAL else values
        touched = sum(self._arrays[each].size for each in read if each in self._arrays)
        return DONE, found, _CALL_COST + (touched + max(0, self._live - before)) // _ELEMENTS_PER_INSTRUCTION

    def _new(self, made: Any) -> int:
        array: FloatArray = np.asarray(made, dtype=np.float32)
        self._last += 1
        self._arrays[self._last] = array
        self._live += array.size
        return self._last

    def _room(self, elements: float) -> None:
        if not self._live + elements <= self._limit:
            raise _FullError

    def _like(self, handle: int) -> FloatArray:
        """The array, where there is room for another of its size."""
        array = self._arrays[handle]
        self._room(array.size)
        return array

    def _do_late(self) -> int:
        return int(time.monotonic() > self._late_at)

    def _do_print(self, text: bytes) -> None:
        self._say(text.decode(errors="replace"))

    def _do_keep(self, handle: int) -> None:
        self._kept.add(handle)

    def _do_sweep(self) -> None:
        """Forgets the tensors that were not kept."""
        self._arrays = {handle: array for handle, array in self._arrays.items() if handle in self._kept}
        self._live = sum(array.size for array in self._arrays.values())
        self._kept.clear()

    def _do_begin(self, elements: float) -> None:
        self._room(elements)
        self._parts.clear()

    def _do_feed(self, data: bytes) -> None:
        self._parts.append(data)

    def _do_tensor(self, *shape: int) -> int:
        return self._new(np.frombuffer(b"".join(self._parts), "<f4").reshape(shape))

    def _do_add(self, handle: int) -> None:
        self._parts.append(self._arrays[handle])

    def _do_stack(self, axis: int) -> int:
        parts: list[FloatArray] = self._parts
        shapes = {each.shape for each in parts}
        if len(shapes) != 1:
            found = " and ".join(sorted(map(_shape, shapes))[:2]) or "none"
            raise _FailedError(f"map_axis needs tensors of one shape, and got {found}")
        if not 0 < axis <= parts[0].ndim + 1 <= _MAX_AXES:
            raise _FailedError(f"map_axis cannot put tensors of the shape {_shape(parts[0].shape)} on axis {axis}")
        self._room(sum(each.size for each in parts))
        return self._new(np.stack(parts, axis - 1))

    def _do_length(self, handle: int, axis: int) -> int:
        array = self._arrays[handle]
        return int(array.shape[_axis(array, axis)])

    def _do_slice(self, handle: int, axis: int, place: int) -> int:
        array = self._arrays[handle]
        self._room(array.size / array.shape[axis - 1])
        return self._new(array.take(place - 1, axis - 1))

    def _do_numbers(self, handle: int, axis: int, place: int, start: int) -> bytes:
        """A part of a slice, in order: float32, little endian."""
        rows = np.moveaxis(self._arrays[handle], axis - 1, 0)[place - 1]
        data: bytes = rows.flat[start : start + _CHUNK].astype("<f4").tobytes()
        return data

    def _do_ndim(self, handle: int) -> int:
        return self._arrays[handle].ndim

    def _do_size(self, handle: int) -> int:
        return self._arrays[handle].size

    def _do_text(self, handle: int) -> bytes:
        array = self._arrays[handle]
        shown = array if array.size <= _SHOWN else array.flat[:_SHOWN]
        text = np.array2string(shown, separator=", ")
        return (text if shown is array else f"{_shape(array.shape)} beginning with {text}").encode()

    def _do_equal(self, a: int, b: int) -> int:
        return int(np.array_equal(self._arrays[a], self._arrays[b]))

    def _do_mean(self, handle: int) -> float | None:
        array = self._arrays[handle]
        return float(array.mean(dtype=np.float64)) if array.size else None

    def _do_sum(self, handle: int) -> float:
        return float(self._arrays[handle].sum(dtype=np.float64))

    def _do_min(self, handle: int) -> float:
        return float(self._arrays[handle].min(initial=math.inf))

    def _do_max(self, handle: int) -> float:
        return float(self._arrays[handle].max(initial=-math.inf))

    def _do_std(self, handle: int, ddof: float) -> float:
        array = self._arrays[handle]
        if not 0 <= ddof < array.size:
            raise _FailedError(f"std needs a ddof from 0 to less than the number of elements, {array.size}")
        return float(array.std(dtype=np.float64, ddof=ddof))

    def _do_exp(self, handle: int) -> int:
        return self._new(np.exp(self._like(handle)))

    def _do_transpose(self, handle: int) -> int:
        array = self._like(handle)
        if array.ndim < 2:
            raise _FailedError(f"transpose needs two axes, and the tensor has the shape {_shape(array.shape)}")
        return self._new(np.swapaxes(array, -1, -2))

    def _do_clamp(self, handle: int, least: float | None, most: float | None) -> int:
        array = self._like(handle)
        array = array if least is None else np.maximum(array, np.float32(least))
        return self._new(array if most is None else np.minimum(array, np.float32(most)))

    def _do_softmax(self, handle: int, axis: int) -> int:
        array = self._like(handle)
        along = _axis(array, axis)
        found = array - array.max(along, keepdims=True, initial=-math.inf)
        np.exp(found, out=found)
        found /= found.sum(along, keepdims=True)
        return self._new(found)

    def _do_sum_axis(self, handle: int, axis: int) -> int:
        array = self._like(handle)
        return self._new(array.sum(_axis(array, axis)))

    def _do_layer_norm(self, handle: int, axis: int, eps: float) -> int:
        array = self._like(handle)
        along = _axis(array, axis)
        if not array.size:
            raise _FailedError("layer_norm needs elements, and the tensor has none")
        found = array - array.mean(along, keepdims=True)
        found /= np.sqrt(np.square(found).mean(along, keepdims=True) + np.float32(eps))
        return self._new(found)

    def _do_lp_normalize(self, handle: int, p: float, axis: int) -> int:
        array = self._like(handle)
        along = _axis(array, axis)
        if p == 0 or math.isnan(p):
            raise _FailedError("lp_normalize needs a p other than 0")
        if not array.size:
            raise _FailedError("lp_normalize needs elements, and the tensor has none")
        norm = _norm(array, p, along)
        return self._new(array / np.maximum(norm, np.float32(_LEAST_NORM)))

    def _do_truncate_axis(self, handle: int, axis: int, length: int) -> int:
        array = self._like(handle)
        along = _axis(array, axis)
        if length < 0:
            raise _FailedError(f"truncate_axis needs a length of 0 or more, got {length}")
        # Copied: a view would keep the whole array.
        return self._new(array[(slice(None),) * along + (slice(length),)].copy())

    def _do_mean_pool(self, handle: int, mask: int) -> int:
        array, weights = self._like(handle), self._arrays[mask]
        if array.ndim < 2 or weights.ndim != array.ndim - 1:
            raise _FailedError(_unfit("mean_pool", array, weights))
        try:
            weights = np.broadcast_to(weights, array.shape[:-1])
        except ValueError as error:
            raise _FailedError(_unfit("mean_pool", array, weights)) from error
        rows = array.reshape(len(array), -1, array.shape[-1])
        weights = weights.reshape(len(array), 1, -1)
        return self._new(np.matmul(weights, rows)[:, 0] / weights.sum(axis=-1))

    def _do_plus(self, *operands: float) -> int:
        return self._combined("+", np.add, operands)

    def _do_minus(self, *operands: float) -> int:
        return self._combined("-", np.subtract, operands)

    def _do_times(self, *operands: float) -> int:
        return self._combined("*", np.multiply, operands)

    def _do_over(self, *operands: float) -> int:
        return self._combined("/", np.divide, operands)

    def _combined(self, sign: str, function: Callable[..., Any], operands: Sequence[float]) -> int:
        """Integers among `operands` are handles."""
        a, b = (np.asarray(self._arrays[each] if isinstance(each, int) else each, np.float32) for each in operands)
        try:
            shape = np.broadcast_shapes(a.shape, b.shape)
        except ValueError as error:
            raise _FailedError(_unfit(sign, a, b)) from error
        self._room(math.prod(shape))
        return self._new(function(a, b))


def _axis(array: FloatArray, axis: int) -> int:
    """Counted from 0."""
    if not 0 < axis <= array.ndim:
        raise _FailedError(
            f"there is no axis {axis} in a tensor of the shape {_shape(array.shape)}: axes count from 1"
        )
    return axis - 1


def _norm(array: FloatArray, p: float, axis: int) -> Any:
    if p == 2:
        rows = np.moveaxis(array, axis, -1)
        return np.expand_dims(np.sqrt(np.einsum("...i,...i->...", rows, rows)), axis)
    sizes = np.abs(array)
    if math.isinf(p):
        return sizes.max(axis, keepdims=True) if p > 0 else sizes.min(axis, keepdims=True)
    return np.power(np.power(sizes, np.float32(p)).sum(axis, keepdims=True), np.float32(1 / p))


def _shape(shape: Sequence[int]) -> str:
    return f"[{', '.join(map(str, shape))}]"


def _unfit(what: str, a: FloatArray, b: FloatArray) -> str:
    return f"{what} does not fit tensors of the shapes {_shape(a.shape)} and {_shape(b.shape)}"
