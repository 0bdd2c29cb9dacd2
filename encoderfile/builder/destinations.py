"""Where a build writes: not over a file that it reads, and not twice at the same path."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from encoderfile.atomic import is_special
from encoderfile.errors import ConfigError


def refuse_overwriting(writes: Mapping[str, Path], reads: Iterable[Path]) -> None:
    """Raises `ConfigError` where a file of the user's would be lost; `writes` are keyed by their flags.

    Pipes and devices (`/dev/stderr`) lose nothing.
    """
    read = {os.path.realpath(path) for path in reads}
    taken: dict[str, str] = {}
    for flag, path in writes.items():
        real = os.path.realpath(path)
        if is_special(path):
            continue
        if real in read:
            raise ConfigError(f"{flag} {path} would replace a file that the build reads: choose another path")
        if real in taken:
            raise ConfigError(f"{taken[real]} and {flag} both name {path}: give each a path of its own")
        taken[real] = flag
