"""A file for CUDA needs the GPU driver alone: in an empty root with a stub of a driver, everything else is found.

No GPU is needed: the stub says that there is one, and the first call of CUDA that would use it ends.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

from support.files import BuiltFile, encoderfile
from support.hosts import Host, furnish
from support.models import DEMO

DRIVER = """
int cuInit(unsigned flags) { return flags ? 1 : 0; }
int cuDeviceGetCount(int *count) { *count = 1; return 0; }
int cuDriverGetVersion(int *version) { *version = 13000; return 0; }
"""
ANY = "int %s(void) { return 999; }\n"  # CUDA_ERROR_UNKNOWN


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> BuiltFile:
    try:
        distribution("nvidia-cublas")
        distribution("onnxruntime-gpu")
    except PackageNotFoundError as error:
        pytest.skip(f"{error.name} is not installed: `make cuda` installs what is bundled")
    folder = tmp_path_factory.mktemp("cuda")
    done = encoderfile("build", DEMO["sentiment"], "--device", "cuda", "-o", folder / "model")
    assert done.returncode == 0, done.stderr
    return BuiltFile(folder / "model", folder / "cache")


@pytest.fixture(scope="module")
def unpacked(built: BuiltFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its folder `.encoderfile`, with the runtime and the libraries."""
    target = tmp_path_factory.mktemp("unpacked") / "here"
    done = built.run("unpack", target)
    assert done.returncode == 0, done.stderr
    return target / ".encoderfile"


def libraries(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if ".so" in path.name and path.is_file() and not path.is_symlink():
            yield path


def symbols(path: Path, *kind: str) -> set[str]:
    """Names of dynamic symbols, without their versions; weak ones that are undefined may stay so."""
    listed = subprocess.run(["nm", "-D", *kind, str(path)], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in listed.splitlines()]
    return {row[-1].partition("@")[0] for row in rows if row[-2] not in ("w", "v")}


def test_every_symbol_of_cudas_libraries_is_in_the_file_but_the_drivers(unpacked: Path) -> None:
    found = list(libraries(unpacked))
    defined = {symbol for path in found for symbol in symbols(path, "--defined-only")}
    cuda = [path for path in found if path.name.startswith(("libcu", "libnv", "libonnxruntime_providers_cuda"))]
    assert {"libcudnn.so.9", "libcublasLt.so.13", "libonnxruntime_providers_cuda.so"} <= {path.name for path in cuda}
    for path in cuda:
        missing = symbols(path, "--undefined-only") - defined
        assert {name for name in missing if not re.match(r"cu[A-Z]", name)} == set(), path.name


@pytest.fixture
def root(built: BuiltFile, unpacked: Path, tmp_path: Path) -> Path:
    """An empty root with the file and the stub of a driver, which has each symbol that a driver would have."""
    pytest.importorskip("ziglang", reason="the stub needs a compiler: `make .venv/installed-launcher` installs it")
    wanted = {symbol for path in libraries(unpacked) for symbol in symbols(path, "--undefined-only")}
    more = [ANY % name for name in sorted(wanted) if re.match(r"cu[A-Z]", name) and f"{name}(" not in DRIVER]
    (tmp_path / "driver.c").write_text(DRIVER + "".join(more))
    folder = furnish(tmp_path / "root", built.path) / "driver"
    folder.mkdir()
    command = [sys.executable, "-m", "ziglang", "cc", "-target", "x86_64-linux-gnu", "-O2", "-shared"]
    more_flags = [
        "-nostdlib",
        "-fPIC",
        "-fno-sanitize=undefined",
        "-Wl,-soname,libcuda.so.1",
        "-o",
        str(folder / "libcuda.so.1"),
        str(tmp_path / "driver.c"),
    ]
    subprocess.run([*command, *more_flags], check=True, env={**os.environ, "HOME": str(tmp_path)})
    return tmp_path / "root"


def test_in_an_empty_root_the_provider_and_all_it_needs_is_loaded(root: Path) -> None:
    host = Host(root, env={"LD_LIBRARY_PATH": "/driver", "LD_BIND_NOW": "1"})
    said = host.file().run("info", prefix=host.prefix()).stdout
    assert "(the file carries the CUDA provider and the machine has a usable device)" in said
    done = host.file().run("infer", "--device", "cuda", "What a wonderful film!", prefix=host.prefix())
    assert done.returncode == 1
    # The provider was loaded, with every symbol bound, and CUDA asked the stub for more than it can do.
    assert "cannot load the graph on cuda" in done.stderr
    assert "CUDAExecutionProviderInfo" in done.stderr
    assert "cannot be loaded" not in done.stderr


def test_without_the_driver_the_same_file_answers_on_the_cpu(root: Path) -> None:
    host = Host(root)
    done = host.file().run("infer", "What a wonderful film!", prefix=host.prefix())
    assert done.returncode == 0, done.stderr
    assert "POSITIVE" in done.stdout.upper()
