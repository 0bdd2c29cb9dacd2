"""The roots that are made for one test."""

import shutil
from pathlib import Path

import pytest

from support.files import BuiltFile, encoderfile
from support.hosts import KEPT, furnish
from support.models import DEMO


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("file")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> BuiltFile:
    folder = tmp_path_factory.mktemp("built")
    done = encoderfile("build", DEMO["sentiment"], "--device", "cpu", "-o", folder / "model")
    assert done.returncode == 0, done.stderr
    return BuiltFile(folder / "model", folder / "cache")


@pytest.fixture
def empty(built: BuiltFile, tmp_path: Path) -> Path:
    """A root with the file and nothing else: FROM scratch."""
    return furnish(tmp_path / "root", built.path)


@pytest.fixture
def musl(empty: Path) -> Path:
    """A root with musl and busybox: what Alpine consists of."""
    for name, place in {"lib/ld-musl-x86_64.so.1": "/lib", "bin/busybox": "/bin"}.items():
        found = next((path for path in (KEPT / "packages" / name, Path("/") / name) if path.exists()), None)
        if found is None:
            pytest.skip(f"/{name} is not here: `make hosts` fetches it")
        target = empty / place.lstrip("/")
        target.mkdir(exist_ok=True)
        shutil.copy(found, target)
    return empty
