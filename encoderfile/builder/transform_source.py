"""The script of a transform and the libraries that it may use, as a build is given them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from encoderfile.errors import ConfigError
from encoderfile.manifest import LUA_LIBS
from encoderfile.tasks.task import TransformAxes

_MAX_BYTES = 256 << 10
"""Bytes of a script, at most."""
_REFUSED = {
    "io": "it reads and writes the files of whoever runs the model",
    "os": "it starts programs on the machine of whoever runs the model",
    "package": "it loads code that is not in the file",
    "debug": "it reaches outside of the sandbox",
}


def skeleton(axes: TransformAxes) -> str:
    """A script for a model type, to begin with: it builds as it stands."""
    last = len(axes.gives)
    step, meaning = f"lp_normalize(2, {last})", "vectors of unit length"
    if "labels" in axes.gives:
        step, meaning = f"softmax({last})", "probabilities"
    lines = [
        "-- Changes what the model gives, before the answers are made of it.",
        "--",
        f"-- output: Tensor [{', '.join(axes.takes)}]",
        *(["-- mask: Tensor [batch, tokens], 1 for a real token and 0 for padding"] if axes.takes_mask else []),
        f"-- returns: Tensor [{', '.join(axes.gives)}]",
        "--",
        "-- Axes count from 1. A text's answer may not depend on the other texts of its batch, so leave axis 1 alone"
        + ("," if "tokens" in axes.gives else "."),
        *(["-- nor on padding, so leave axis 2 alone too."] if "tokens" in axes.gives else []),
        f"function Postprocess(output{', mask' if axes.takes_mask else ''})",
        *(["  local vectors = output:mean_pool(mask)"] if axes.takes_mask else []),
        f"  -- return {'vectors' if axes.takes_mask else 'output'}:{step}  -- {meaning}",
        f"  return {'vectors' if axes.takes_mask else 'output'}",
        "end",
    ]
    return "\n".join(lines)


def transform_in(file: Path) -> str:
    """The script in `file`. Raises `ConfigError` for one that is unreadable, too large, or empty."""
    try:
        with file.open("rb") as source:
            data = source.read(_MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"cannot read the transform {file}: {error.strerror}") from error
    try:
        return transform_source(data.decode(), str(file))
    except UnicodeDecodeError as error:
        raise ConfigError(f"the transform {file} is no text in UTF-8: give Lua source, not bytecode") from error


def transform_source(text: str, where: str) -> str:
    """`text` without white space around it. Raises `ConfigError` for one that is too large, or empty."""
    source = text.strip()
    if not source:
        raise ConfigError(f"the transform in {where} is empty: define the function Postprocess, or leave it out")
    try:
        size = len(source.encode())
    except UnicodeEncodeError as error:
        raise ConfigError(f"the transform in {where} is no text in UTF-8: give Lua source") from error
    if size > _MAX_BYTES:
        raise ConfigError(f"the transform in {where} has more than {_MAX_BYTES >> 10} KB: give Lua source")
    if source.endswith(".lua") and len(source.split()) == 1:
        raise ConfigError(f"the transform in {where} is the name of a file: give {{path: {source}}}")
    return source


def lua_libs(names: Iterable[str]) -> tuple[str, ...]:
    """The libraries called `names`, in one order. Raises `ConfigError` for those that no transform can have."""
    given = set(names)
    for name in sorted(given - set(LUA_LIBS)):
        if name in _REFUSED:
            raise ConfigError(f"the Lua library {name} is not for transforms: {_REFUSED[name]}")
        raise ConfigError(f"there is no Lua library {name:.40}: choose among {', '.join(LUA_LIBS)}")
    return tuple(name for name in LUA_LIBS if name in given)
