"""The transform of a file: a script with a contract on shapes, for as many threads as run the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from encoderfile.errors import TransformError
from encoderfile.tasks.task import TransformAxes
from encoderfile.transforms.script import Script, lua
from encoderfile.types import FloatArray


class Transform:
    """May be called from several threads at the same time: each has a Lua state for itself meanwhile."""

    def __init__(
        self,
        source: str,
        libraries: Sequence[str],
        axes: TransformAxes,
        extension: Path | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`libraries` are names in `LUA_LIBS`, `extension` as in `script.lua`; `say` gets the lines that it prints.

        Raises `ImportError` without Lua.
        """
        self.source = source
        self.libraries = tuple(libraries)
        self.axes = axes
        self._module = lua(extension)
        self._say = say
        self._idle = [self._opened()]

    def __call__(self, output: FloatArray, mask: FloatArray) -> FloatArray:
        """What the script makes of a batch: float32, of the graph's output and float32 [batch, tokens].

        Raises `TransformError` where it fails, takes too long or too much, or gives another shape.
        """
        script = self._idle.pop() if self._idle else self._opened()
        found = script(output, mask) if self.axes.takes_mask else script(output)
        self._idle.append(script)  # a state that failed is dropped
        self._check(dict(zip(self.axes.takes, output.shape, strict=True)), found.shape)
        return np.ascontiguousarray(found, dtype=np.float32)

    def _opened(self) -> Script:
        return Script(self._module, self.source, self.libraries, self._say)

    def _check(self, lengths: Mapping[str, int], shape: Sequence[int]) -> None:
        wanted = [lengths.get(name) for name in self.axes.gives]
        fits = len(shape) == len(wanted) and all(
            length == least if least is not None else length > 0 for length, least in zip(shape, wanted, strict=True)
        )
        if not fits:
            names = ", ".join(
                name if least is None else f"{name} {least}"
                for name, least in zip(self.axes.gives, wanted, strict=True)
            )
            found = ", ".join(map(str, shape))
            raise TransformError(f"Postprocess should return a Tensor [{names}], and returned one of [{found}]")
