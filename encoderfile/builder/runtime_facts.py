"""What a frozen runtime says of itself: its version, device and packages. Written when it is frozen."""

from __future__ import annotations

import contextlib
import json
import platform
from collections.abc import Mapping
from typing import Any

import encoderfile
from encoderfile.container import Slice
from encoderfile.errors import ContainerError
from encoderfile.pack import FACTS_PATH, SBOM_PATH, entries, read


def facts(document: Mapping[str, Any], *, device: str, libc: str) -> dict[str, Any]:
    """What `info` says of the runtime with this `document`; `libc` is the oldest glibc that it runs with."""
    return {
        "version": encoderfile.__version__,
        "device": device,
        "oldest_glibc": libc,
        "machine": platform.machine(),
        "versions": {each["name"]: each["version"] for each in document["components"] if "version" in each},
    }


def device_of(runtime: Slice) -> str | None:
    """What the runtime in a pack was frozen for, as it says itself; None where it does not.

    Files of encoderfile 0.1.0 have no facts, only the list of parts.
    """
    device = None
    with contextlib.suppress(ContainerError, ValueError, LookupError, TypeError, RecursionError):
        if any(entry.path == FACTS_PATH for entry in entries(runtime)):
            device = json.loads(read(runtime, FACTS_PATH))["device"]
        else:
            properties = json.loads(read(runtime, SBOM_PATH))["metadata"]["properties"]
            device = {each["name"]: each["value"] for each in properties}["encoderfile:device"]
    return device if device in ("cpu", "cuda") else None
