"""Files built once for the whole session, by model folder."""

from collections.abc import Callable
from pathlib import Path

import pytest

from support.example_files import build


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path, str], Path]:
    """`built(model, name)` is the built file of a model folder."""
    files: dict[str, Path] = {}

    def make(model: Path, name: str) -> Path:
        if name not in files:
            files[name] = build(model, name, tmp_path_factory.mktemp(name))
        return files[name]

    return make
