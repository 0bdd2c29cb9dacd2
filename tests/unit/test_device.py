"""Choosing a device: the reason is always said, and what was asked for is never replaced in silence."""

import ctypes
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from encoderfile.errors import ConfigError
from encoderfile.model import device
from encoderfile.model.device import CUDA_LIBRARY, Device, choose
from support.refusals import one_sentence


class Driver:
    """libcuda.so.1 as `ctypes` shows it."""

    def __init__(self, devices: int = 1, init: int = 0, count: int = 0, version: int = 13000) -> None:
        self._devices, self._init, self._count, self._version = devices, init, count, version

    def cuInit(self, flags: int) -> int:
        return self._init

    def cuDriverGetVersion(self, found: Any) -> int:
        ctypes.cast(found, ctypes.POINTER(ctypes.c_int))[0] = self._version
        return 0

    def cuDeviceGetCount(self, found: Any) -> int:
        ctypes.cast(found, ctypes.POINTER(ctypes.c_int))[0] = self._devices
        return self._count


Machine = Callable[..., None]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Sets up what this machine has: the provider in the program, a driver, the libraries of CUDA."""

    def set_up(driver: Driver | None, *, provider: bool = True, missing: str | None = None) -> None:
        if provider:
            (tmp_path / CUDA_LIBRARY).touch()

        def load(name: str, mode: int = 0) -> object:
            if name == "libcuda.so.1":
                if driver is None:
                    raise OSError("libcuda.so.1: cannot open shared object file: No such file or directory")
                return driver
            if missing is not None:
                raise OSError(f"{missing}: cannot open shared object file: No such file or directory")
            return object()

        monkeypatch.setattr(device, "provider_folder", lambda: tmp_path)
        monkeypatch.setattr(ctypes, "CDLL", load)

    return set_up


def test_a_machine_with_a_device_uses_it(machine: Machine) -> None:
    machine(Driver(devices=2))
    for wanted in ("auto", "cuda"):
        found = choose(wanted, 1)
        assert (found.name, found.index) == ("cuda", 1)
        assert found.reason


OBSTACLES: list[tuple[str, dict[str, Any], str]] = [
    (
        "no provider",
        {"driver": Driver(), "provider": False},
        "no CUDA provider in this file, `encoderfile build --device cuda` adds it",
    ),
    ("no driver", {"driver": None}, "no CUDA driver found (libcuda.so.1)"),
    ("a sick driver", {"driver": Driver(init=999)}, "the CUDA driver does not start (cuInit says 999)"),
    (
        "an old driver",
        {"driver": Driver(version=12020)},
        "the driver is for CUDA 12.2 and the provider needs CUDA 13: update the driver",
    ),
    ("no device", {"driver": Driver(devices=0)}, "the CUDA driver shows no device"),
    ("no answer", {"driver": Driver(count=3)}, "the CUDA driver shows no device"),
    (
        "a missing library",
        {"driver": Driver(), "missing": "libcudnn.so.9"},
        "a library that the CUDA provider needs cannot be loaded: libcudnn.so.9 (CUDA 13 and cuDNN 9)",
    ),
]
each_obstacle = pytest.mark.parametrize(
    ("parts", "reason"), [case[1:] for case in OBSTACLES], ids=[case[0] for case in OBSTACLES]
)


@each_obstacle
def test_auto_falls_back_to_the_cpu_and_says_why(machine: Machine, parts: dict[str, Any], reason: str) -> None:
    machine(**parts)
    assert choose("auto", 0) == Device("cpu", reason)


@each_obstacle
def test_cuda_asked_for_and_not_there_is_refused(machine: Machine, parts: dict[str, Any], reason: str) -> None:
    machine(**parts)
    with pytest.raises(ConfigError) as refused:
        choose("cuda", 0)
    assert one_sentence(refused.value) == f"--device cuda cannot be used: {reason}"


def test_libraries_that_the_program_brings_are_loaded_before_the_provider(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(Driver())
    loaded: list[str] = []
    load = ctypes.CDLL
    monkeypatch.setattr(ctypes, "CDLL", lambda name, mode=0: (loaded.append(Path(name).name), load(name, mode))[1])
    assert choose("auto", 0, lambda: loaded.append("libraries")).name == "cuda"
    assert loaded == [device.DRIVER, "libraries", "libonnxruntime_providers_shared.so", CUDA_LIBRARY]


def test_libraries_that_are_not_loaded_now_leave_the_provider_alone_too(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(Driver(), missing="libcublas.so.13")
    assert choose("auto", 0, None).name == "cuda"


def test_libraries_that_cannot_be_unpacked_are_a_reason_for_the_cpu(machine: Machine) -> None:
    machine(Driver())

    def fails() -> None:
        raise ConfigError("they cannot be unpacked")

    assert choose("auto", 0, fails) == Device("cpu", "they cannot be unpacked")


def test_a_device_number_beyond_the_last_is_refused(machine: Machine) -> None:
    machine(Driver(devices=2))
    with pytest.raises(ConfigError) as refused:
        choose("cuda", 2)
    assert one_sentence(refused.value) == (
        "--device cuda cannot be used: there is no CUDA device 2: the machine shows 2"
    )


def test_the_cpu_asked_for_is_taken_without_a_look_at_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("the driver was loaded")

    monkeypatch.setattr(ctypes, "CDLL", forbidden)
    assert choose("cpu", 0) == Device("cpu", "asked for by --device cpu")


def test_the_providers_lie_beside_onnxruntime() -> None:
    assert list(device.provider_folder().glob("onnxruntime_pybind11_state*"))
