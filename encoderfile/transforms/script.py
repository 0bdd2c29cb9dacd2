"""One script in one Lua state: the only importer of lupa."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import numpy as np

from encoderfile.errors import TransformError
from encoderfile.transforms.sandbox import SANDBOX
from encoderfile.transforms.tensors import Tensors
from encoderfile.types import FloatArray

SECONDS = 10
"""A run takes at most that long, and what the longest single instruction takes."""
INSTRUCTIONS, PER_ELEMENT = 50_000_000, 32
"""How many a run may execute: so many, and so many more for each number of the graph's output."""

_STEP = 100
"""Instructions between two looks at the limits: the slowest, which copies all of the memory, takes 20 ms."""
_MEMORY, _RESERVE = 16 << 20, 4 << 20
"""Bytes that a script's own values may take, and what is kept for calls of Python beside them."""
_MODULE = "lua54"


def lua(extension: Path | None) -> ModuleType:
    """lupa's module for Lua 5.4: the installed one, or that in the file `extension`. Raises `ImportError`."""
    if extension is None:
        from lupa import lua54

        return lua54  # type: ignore[no-any-return]
    spec = importlib.util.spec_from_file_location(_MODULE, extension)
    if spec is None or spec.loader is None:
        raise ImportError(f"{extension} is no extension module")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Script:
    """For one thread at a time. Each run begins with a new environment: it sees nothing of the one before."""

    def __init__(self, module: ModuleType, source: str, libraries: Sequence[str], say: Callable[[str], None]) -> None:
        self._tensors = Tensors(say)
        state = module.LuaRuntime(
            encoding=None,
            register_eval=False,
            register_builtins=False,
            unpack_returned_tuples=True,
            attribute_filter=_refuse,
            max_memory=_MEMORY + _RESERVE,
        )
        limit = _MEMORY >> 10
        names = " ".join(libraries).encode()
        self._run = state.execute(
            SANDBOX, self._tensors.ask, names, SECONDS, _STEP, limit, source.encode(), name=b"=sandbox"
        )

    def __call__(self, *arrays: FloatArray) -> FloatArray:
        """What `Postprocess` makes of one or two tensors. Raises `TransformError`; the state is of no use then."""
        tensors = self._tensors
        handles = tensors.begin_run(SECONDS, *arrays)
        try:
            with np.errstate(all="ignore"):
                found: Any = self._run(INSTRUCTIONS + PER_ELEMENT * arrays[0].size, *handles)
            if tensors.raised is not None:
                raise tensors.raised
            if isinstance(found, tuple):
                raise TransformError(_in_the_script(found[1]))
            return tensors.array(found)
        finally:
            tensors.end_run()


def _in_the_script(message: bytes) -> str:
    """Its first line, fit for a log, without a place in the sandbox, which tells its author nothing."""
    line = next(iter(message.decode(errors="replace").splitlines()), "")
    shown = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in line)
    return re.sub(r"^sandbox:\d+: ", "", shown)


def _refuse(*_: Any) -> NoReturn:
    """Lua gets no attribute of any Python object."""
    raise AttributeError("there is nothing here")
