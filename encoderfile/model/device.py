"""Which device runs the graph, and why."""

from __future__ import annotations

import ctypes
import importlib.util
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from encoderfile.errors import ConfigError

DRIVER = "libcuda.so.1"
CUDA_MAJOR = 13
"""The version that the provider is made for; a driver serves its own version and older ones."""
CUDA_LIBRARY = "libonnxruntime_providers_cuda.so"


Libraries = Callable[[], None] | None


@dataclass(frozen=True, slots=True)
class Device:
    """The device chosen and why. `index` counts CUDA devices."""

    name: str
    reason: str
    index: int = 0


def _of_the_machine() -> None:
    """The system's loader finds them."""


def provider_folder() -> Path:
    """Where onnxruntime keeps its provider libraries; found without importing it, which takes a while."""
    spec = importlib.util.find_spec("onnxruntime")
    if spec is None or spec.origin is None:
        raise ConfigError("onnxruntime is not installed: install encoderfile again")
    return Path(spec.origin).parent / "capi"


def choose(wanted: str, index: int, libraries: Libraries = _of_the_machine) -> Device:
    """The device for `auto`, `cpu` or `cuda`; `libraries` as for `cuda_obstacle`.

    Raises `ConfigError` when `cuda` was asked for and cannot be used.
    """
    if wanted == "cpu":
        return Device("cpu", "asked for by --device cpu")
    obstacle = cuda_obstacle(index, libraries)
    if obstacle is None:
        return Device("cuda", "the file carries the CUDA provider and the machine has a usable device", index)
    if wanted == "cuda":
        raise ConfigError(f"--device cuda cannot be used: {obstacle}")
    return Device("cpu", obstacle)


def cuda_obstacle(index: int, libraries: Libraries = _of_the_machine) -> str | None:
    """Why CUDA cannot be used here, as a part of a sentence, or None.

    `libraries` loads those of CUDA that the program brings, before the provider that needs them, and raises `OSError`
    or `ConfigError` where it cannot; None: they are there and need not be loaded now.
    """
    folder = provider_folder()
    if not (folder / CUDA_LIBRARY).exists():
        return "no CUDA provider in this file, `encoderfile build --device cuda` adds it"
    count = _cuda_devices()
    if isinstance(count, str):
        return count
    if index >= count:
        return f"there is no CUDA device {index}: the machine shows {count}"
    return None if libraries is None else _loading_obstacle(folder, libraries)


def _loading_obstacle(folder: Path, libraries: Callable[[], None]) -> str | None:
    try:
        libraries()
        ctypes.CDLL(str(folder / "libonnxruntime_providers_shared.so"), mode=os.RTLD_GLOBAL)
        ctypes.CDLL(str(folder / CUDA_LIBRARY))
    except OSError as error:
        missing = str(error).split(":")[0]
        return f"a library that the CUDA provider needs cannot be loaded: {missing} (CUDA {CUDA_MAJOR} and cuDNN 9)"
    except ConfigError as error:
        return str(error)
    return None


def _cuda_devices() -> int | str:
    """The number of devices that the driver shows, or why there is none."""
    try:
        driver = ctypes.CDLL(DRIVER)
    except OSError:
        return f"no CUDA driver found ({DRIVER})"
    status = driver.cuInit(0)
    if status != 0:
        return f"the CUDA driver does not start (cuInit says {status})"
    version = ctypes.c_int()
    if driver.cuDriverGetVersion(ctypes.byref(version)) == 0 and version.value // 1000 < CUDA_MAJOR:
        theirs = f"{version.value // 1000}.{version.value % 1000 // 10}"
        return f"the driver is for CUDA {theirs} and the provider needs CUDA {CUDA_MAJOR}: update the driver"
    count = ctypes.c_int()
    status = driver.cuDeviceGetCount(ctypes.byref(count))
    if status != 0 or count.value == 0:
        return "the CUDA driver shows no device"
    return count.value
