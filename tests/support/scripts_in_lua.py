"""Scripts of transforms, and how tests run one without a model."""

from collections.abc import Sequence
from typing import Any

import pytest

from encoderfile.errors import TransformError
from encoderfile.manifest import LUA_LIBS
from encoderfile.transforms.script import Script, lua
from encoderfile.types import FloatArray

IDENTITY = "function Postprocess(output) return output end"
UNIT_TOKENS = "function Postprocess(arr)\n  return arr:lp_normalize(2, 3)\nend"
SOFTMAX = "function Postprocess(arr)\n  return arr:softmax(2)\nend"
SOFTMAX_OF_TOKENS = "function Postprocess(arr)\n  return arr:softmax(3)\nend"
POOLED = "function Postprocess(arr, mask)\n  return arr:mean_pool(mask):lp_normalize(2, 2)\nend"


def postprocess(body: str) -> str:
    """A script that does `body` with the tensor `t` and perhaps the tensor `u`."""
    return f"function Postprocess(t, u) {body} end"


def run(source: str, *arrays: FloatArray, libraries: Sequence[str] = LUA_LIBS, say: Any = print) -> FloatArray:
    """What a script makes of arrays."""
    return Script(lua(None), source, libraries, say)(*arrays)


def failure(source: str, *arrays: FloatArray, libraries: Sequence[str] = LUA_LIBS) -> str:
    """Why a script fails."""
    with pytest.raises(TransformError) as failed:
        run(source, *arrays, libraries=libraries)
    return failed.value.reason
