"""The loader and the C library that a runtime brings: how they are found when it is frozen, and left alone later."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from encoderfile.builder.runtimes import c_library, system_libraries
from encoderfile.builder.runtimes.elf import interpreter, is_elf, with_interpreter
from encoderfile.builder.runtimes.platforms import LAUNCHERS
from encoderfile.errors import ConfigError
from encoderfile.model.device import CUDA_LIBRARY, provider_folder
from encoderfile.runtime import c_library as running

PROGRAM = Path(os.path.realpath(shutil.which("true") or "/bin/true"))


@pytest.fixture
def frozen(tmp_path: Path) -> Path:
    """A folder like that of a frozen runtime, with a small program of this machine."""
    (tmp_path / "_internal").mkdir()
    shutil.copy(PROGRAM, tmp_path / "runtime")
    return tmp_path


def test_the_loader_and_what_the_program_needs_are_put_into_a_folder_of_their_own(frozen: Path) -> None:
    before = interpreter((frozen / "runtime").read_bytes())
    sources = c_library.add(frozen)
    found = sorted(path.name for path in (frozen / "libc").iterdir())
    assert {"libc.so.6", Path(before).name} <= set(found)
    assert all(is_elf(frozen / "libc" / name) for name in found)
    assert (frozen / "libc" / Path(before).name).stat().st_mode & 0o111
    assert all(path == path.resolve() for path in sources)
    assert c_library.version(sources).count(".") == 1


def test_the_program_names_the_file_that_the_launcher_opens(frozen: Path) -> None:
    c_library.add(frozen)
    assert interpreter((frozen / "runtime").read_bytes()) == c_library.LOADER_FILE
    launcher = Path(__file__).parents[2] / "build" / "launcher" / "become.c"
    assert f"#define LOADER_FD {c_library.LOADER_FILE.rpartition('/')[2]} " in launcher.read_text()


def test_a_library_that_is_not_installed_stops_the_freezing(frozen: Path) -> None:
    provider = provider_folder() / CUDA_LIBRARY
    if not provider.exists():
        pytest.skip("no library at hand that needs others which are not installed")
    shutil.copy(provider, frozen / "_internal" / "libother.so")
    with pytest.raises(ConfigError, match=r"libother\.so needs libcu\w+\.so\.\d+, which is not installed here"):
        c_library.add(frozen)


def test_a_library_of_a_gpu_may_need_what_only_the_machine_has(frozen: Path) -> None:
    provider = provider_folder() / CUDA_LIBRARY
    if not provider.exists():
        pytest.skip("this onnxruntime has no provider for CUDA")
    shutil.copy(provider, frozen / "_internal")
    c_library.add(frozen)
    assert (frozen / "libc" / "libm.so.6").exists()


def test_a_loader_whose_path_has_no_room_is_refused() -> None:
    data = PROGRAM.read_bytes()
    assert interpreter(with_interpreter(data, "/short")) == "/short"
    with pytest.raises(ValueError, match="no room for"):
        with_interpreter(data, "/" + "x" * 200)


def test_a_program_without_a_loader_is_told() -> None:
    with pytest.raises(ValueError, match="names no loader"):
        interpreter((LAUNCHERS / "linux-x86_64").read_bytes())


def test_another_c_library_is_refused(tmp_path: Path) -> None:
    (tmp_path / "libc.so").write_bytes(b"musl libc (x86_64)\nVersion 1.2.5")
    with pytest.raises(ConfigError, match="is not glibc"):
        c_library.version([tmp_path / "libc.so"])


@pytest.mark.parametrize(
    ("name", "licence"),
    [
        ("libcrypto.so.3", [{"license": {"id": "Apache-2.0"}}]),
        ("libstdc++.so.6", [{"expression": "GPL-3.0-or-later WITH GCC-exception-3.1"}]),
        ("libunheard.so.1", None),
    ],
)
def test_system_libraries_are_listed_with_their_licence(name: str, licence: object, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(bytes(7))
    found = system_libraries.component(name, [tmp_path / name])
    assert found.get("licenses") == licence
    assert found["properties"] == [{"name": "encoderfile:bytes", "value": "7"}]
    assert "purl" not in found


def test_and_with_the_package_that_brought_them() -> None:
    libc = Path("/lib/x86_64-linux-gnu/libc.so.6")
    if not libc.exists() or not shutil.which("dpkg-query"):
        pytest.skip("not a Debian system on x86-64")
    found = system_libraries.component("glibc", [libc], "2.0", system_libraries.GLIBC_LICENCE)
    assert (
        found["purl"].startswith(f"pkg:deb/debian/libc6@{found['version']}?arch=amd64") or "ubuntu" in found["purl"]
    )
    assert found["licenses"] == [{"license": {"id": "LGPL-2.1-or-later"}}]


def test_the_environment_is_the_users_again_after_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "LD_LIBRARY_PATH": "/cache/libc:/cache/_internal",
        "ENCODERFILE_HOST_LD_LIBRARY_PATH": "/opt/lib",
        "LD_LIBRARY_PATH_ORIG": "/cache/libc",
        "LC_ALL": "C",
        "ENCODERFILE_HOST_LD_PRELOAD": "/usr/lib/libjemalloc.so.2",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("ENCODERFILE_HOST_LC_ALL", raising=False)
    monkeypatch.delenv("ENCODERFILE_OWN_LIBC", raising=False)
    running.settle()
    assert os.environ["LD_LIBRARY_PATH"] == "/opt/lib"
    assert os.environ["LD_PRELOAD"] == "/usr/lib/libjemalloc.so.2"
    left = {name for name in os.environ if name.startswith(("LC_ALL", "LD_LIBRARY_PATH_", "ENCODERFILE_HOST"))}
    assert not left
    assert not running.is_own()


def test_the_loader_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    descriptor = os.open(sys.executable, os.O_RDONLY)
    monkeypatch.setenv("ENCODERFILE_LOADER_FD", str(descriptor))
    running.settle()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
    assert "ENCODERFILE_LOADER_FD" not in os.environ
