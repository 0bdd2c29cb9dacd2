"""What `make deploy` fetched, and a built file to deploy."""

import os
import sys
from pathlib import Path

import pytest

from support.files import BuiltFile, encoderfile
from support.kubernetes import Schemas
from support.models import DEMO, ROOT

sys.path.append(str(ROOT / "deploy"))
FETCHED = Path(os.environ.get("ENCODERFILE_TEST_DEPLOY", ROOT / ".deploy"))


@pytest.fixture(scope="session")
def fetched() -> Path:
    """The folder that fetch.sh filled."""
    if not (FETCHED / "schemas" / "podmonitors.yaml").exists():
        pytest.skip("helm and the schemas are not here: `make deploy` fetches them")
    return FETCHED


@pytest.fixture(scope="session")
def helm(fetched: Path) -> str:
    return str(fetched / "helm")


@pytest.fixture(scope="session")
def schemas(fetched: Path) -> Schemas:
    return Schemas(fetched / "schemas" / "swagger.json", sorted((fetched / "schemas").glob("*.yaml")))


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> BuiltFile:
    folder = tmp_path_factory.mktemp("built")
    done = encoderfile("build", DEMO["sentiment"], "--device", "cpu", "-o", folder / "my-model.encoderfile")
    assert done.returncode == 0, done.stderr
    return BuiltFile(folder / "my-model.encoderfile", folder / "cache")
