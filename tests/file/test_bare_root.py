"""A root with the C library and nothing else: what a minimal container has."""

import shutil
from pathlib import Path

import pytest

from support.files import BuiltFile, namespace

LOADER = Path("/lib64/ld-linux-x86-64.so.2")
LIBRARIES = ("libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1")


@pytest.fixture
def root(sentiment: BuiltFile, tmp_path: Path) -> Path:
    """A folder to be the root: the file, the loader, the C library, and empty places for /proc, /dev and /tmp."""
    found = [path for name in LIBRARIES for path in Path("/lib").glob(f"*-linux-gnu/{name}")]
    if not LOADER.exists() or len(found) < len(LIBRARIES):
        pytest.skip("the C library does not lie where Debian has it")
    for name in ("proc", "dev", "tmp", "lib64", "lib"):
        (tmp_path / name).mkdir()
    shutil.copy(LOADER, tmp_path / "lib64")
    for path in found:
        target = tmp_path / path.relative_to("/")
        target.parent.mkdir(exist_ok=True)
        shutil.copy(path, target)
    shutil.copy(sentiment.path, tmp_path / "model")
    return tmp_path


def inside(root: Path) -> list[str]:
    """A command prefix that runs the rest in `root`."""
    prepare = f'mount --rbind /proc "{root}/proc" && mount --rbind /dev "{root}/dev"'
    return [*namespace("mount", prepare=prepare), "/usr/sbin/chroot", str(root)]


def test_the_c_library_is_all_that_a_machine_must_have(root: Path, sentiment: BuiltFile) -> None:
    alone = BuiltFile(Path("/model"), Path("/tmp/cache"))
    done = alone.run("infer", "What a wonderful film!", prefix=inside(root))
    assert done.returncode == 0, done.stderr
    assert done.stdout.replace('"model"', '"sentiment"') == sentiment.run("infer", "What a wonderful film!").stdout


def test_a_machine_without_the_gnu_c_library_is_told_so(root: Path) -> None:
    shutil.rmtree(root / "lib64")
    done = BuiltFile(Path("/model"), Path("/tmp/cache")).run("info", prefix=inside(root))
    assert done.returncode == 1
    assert done.stderr.startswith("error: model: this machine has no GNU C library (glibc); the file needs version 2")


def test_a_machine_whose_c_library_is_too_old_is_told_so(root: Path) -> None:
    (old,) = root.glob("lib/*/libc.so.6")
    old.write_bytes(bytes(100) + b"GNU C Library (Elderly 1) stable release version 2.5.\n" + bytes(100))
    done = BuiltFile(Path("/model"), Path("/tmp/cache")).run("info", prefix=inside(root))
    assert done.returncode == 1
    assert done.stderr.startswith(
        "error: model: this machine has version 2.5 of the GNU C library (glibc); the file needs version 2."
    )
    assert done.stderr.endswith("or newer: build it on an older system\n")
