"""How the launcher is compiled, for the tests that compile it."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from support.models import ROOT


@pytest.fixture(scope="session")
def recipe() -> ModuleType:
    """build/launcher/build.py."""
    spec = importlib.util.spec_from_file_location("launcher_build", ROOT / "build" / "launcher" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def libdeflate(recipe: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of libdeflate's sources."""
    try:
        return Path(recipe.libdeflate(tmp_path_factory.mktemp("libdeflate")))
    except FileNotFoundError as error:
        pytest.skip(str(error))
