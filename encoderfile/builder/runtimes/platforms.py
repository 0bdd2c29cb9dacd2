"""The platforms that a file can be made for: their names, and the launcher of each."""

from __future__ import annotations

import platform
import re
import sys
from pathlib import Path

from encoderfile.errors import ConfigError

PLATFORMS = ("linux-x86_64", "linux-aarch64")

LAUNCHERS = Path(__file__).parents[1] / "launcher"
LAUNCHER_PARTS = LAUNCHERS / "parts.json"
"""What others wrote in the launcher, as components; build/launcher/build.py writes it."""

_MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}


def this_platform() -> str:
    """The platform of this machine, one of `PLATFORMS` or another."""
    return f"{sys.platform}-{platform.machine()}"


def platform_named(text: str) -> str:
    """One of `PLATFORMS`, by its own name, by Rust's triple (`aarch64-unknown-linux-gnu`) or by Docker's name.

    Raises `ConfigError` for another.
    """
    parts = re.split(r"[-/]", text.lower())
    machine = next((_MACHINES[part] for part in parts if part in _MACHINES), None)
    if machine is None or "linux" not in parts or "android" in parts:
        raise ConfigError(f"the platform {text} is not supported: choose {' or '.join(PLATFORMS)}")
    return f"linux-{machine}"


def launcher(name: str) -> Path:
    """The launcher compiled for the platform. Raises `ConfigError` where there is none."""
    path = LAUNCHERS / name
    if name not in PLATFORMS or not path.is_file():
        raise ConfigError(f"files cannot be built for {name}, only for {' and '.join(PLATFORMS)}: see --platform")
    return path
