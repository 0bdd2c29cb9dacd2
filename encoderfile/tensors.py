"""Tensors beside the graph, as a safetensors file: layers and tables that the model's library applies outside of it.

The format: eight bytes with the length of a JSON object, which gives type, shape and place of every tensor, then
their bytes (https://github.com/huggingface/safetensors#format).
"""

from __future__ import annotations

import json
import math
import mmap
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from encoderfile.errors import ModelError

if TYPE_CHECKING:
    from encoderfile.types import FloatArray

_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}
_LONGEST_HEADER = 100 << 20


def read(
    data: bytes | mmap.mmap, name: str = "a safetensors file", only: Collection[str] | None = None
) -> dict[str, FloatArray]:
    """Every tensor by its name, as float32, or those of `only`; `data` may be mapped.

    Raises `ModelError` for anything else.

    float16, bfloat16 and float64 are converted.
    """
    import numpy as np

    try:
        length = int.from_bytes(data[:8], "little")
        if not 2 <= length <= min(_LONGEST_HEADER, len(data) - 8):
            raise ValueError(f"its header has {length} bytes")
        header = json.loads(bytes(data[8 : 8 + length]))
        header.pop("__metadata__", None)
        body = memoryview(data)[8 + length :]
        return {key: _tensor(np, body, entry) for key, entry in header.items() if only is None or key in only}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"{name} is not a complete safetensors file ({reason}): copy it again") from error


def _tensor(np: Any, body: memoryview, entry: Mapping[str, Any]) -> FloatArray:
    start, end = entry["data_offsets"]
    dtype, shape = entry["dtype"], entry["shape"]
    if dtype == "BF16":
        kind, size = "<u2", 2
    elif dtype in _DTYPES:
        kind, size = _DTYPES[dtype], int(_DTYPES[dtype][2])
    else:
        raise ValueError(f"a tensor of the type {dtype!r:.20}")
    if not 0 <= start <= end <= len(body) or end - start != size * math.prod(shape):
        raise ValueError(f"a tensor of the shape {shape!r:.80} lies at {start}-{end}")
    raw = np.frombuffer(body[start:end], dtype=kind)
    if dtype == "BF16":
        raw = (raw.astype("<u4") << 16).view("<f4")
    found: FloatArray = raw.astype(np.float32, copy=False).reshape(shape)
    return found


def write(tensors: Mapping[str, FloatArray]) -> bytes:
    """The file that `read` reads: float32, in the order of the names, the same bytes for the same tensors."""
    header, parts, position = {}, [], 0
    for name in sorted(tensors):
        data = tensors[name].astype("<f4", copy=False).tobytes()
        places = [position, position + len(data)]
        header[name] = {"dtype": "F32", "shape": list(tensors[name].shape), "data_offsets": places}
        parts.append(data)
        position += len(data)
    text = json.dumps(header, sort_keys=True).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *parts])
