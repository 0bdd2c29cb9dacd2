"""The machine that a file is built for, as Rust's triples name it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import final

from encoderfile.api.failures import InvalidError

_ARCHITECTURES = ("x86_64", "aarch64")
_SYSTEMS = {
    "unknown-linux-gnu": ("linux", "gnu"),
    "unknown-linux-musl": ("linux", "musl"),
    "apple-darwin": ("darwin", "gnu"),
    "pc-windows-msvc": ("windows", "msvc"),
}


@final
@dataclass(frozen=True, slots=True)
class TargetSpec:
    """A triple, such as `aarch64-unknown-linux-gnu`, in its parts; `str()` gives it back.

    Files run on Linux: a builder refuses the other systems that are understood here.
    """

    spec: str

    def __post_init__(self) -> None:
        """Raises `ValueError` for a triple that names no known machine, `TypeError` for what is no string."""
        if not isinstance(self.spec, str):
            raise TypeError(f"a target is a string such as 'aarch64-unknown-linux-gnu', got {self.spec!r}")
        found = re.fullmatch(r"([^-]+)-(.+)", self.spec)
        if found is None or found[2] not in _SYSTEMS:
            raise InvalidError(f"invalid or unsupported target triple `{self.spec}`: give one such as {_EXAMPLES}")
        if found[1] not in _ARCHITECTURES:
            raise InvalidError(f"unsupported architecture `{found[1]}`: give a target such as {_EXAMPLES}")

    def __str__(self) -> str:
        return self.spec

    @property
    def arch(self) -> str:
        """The processor: `x86_64` or `aarch64`."""
        return self.spec.partition("-")[0]

    @property
    def os(self) -> str:
        """The operating system, such as `linux`."""
        return _SYSTEMS[self.spec.partition("-")[2]][0]

    @property
    def abi(self) -> str:
        """The C library, such as `gnu` or `musl`; a file for Linux runs with either."""
        return _SYSTEMS[self.spec.partition("-")[2]][1]


_EXAMPLES = " or ".join(f"{each}-unknown-linux-gnu" for each in _ARCHITECTURES)
