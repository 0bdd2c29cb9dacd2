"""The committed launchers are, byte for byte, what their sources compile to."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from encoderfile.builder.runtimes.platforms import LAUNCHER_PARTS

COMMITTED = LAUNCHER_PARTS.parent


def test_the_committed_launchers_are_what_their_sources_compile_to(
    recipe: ModuleType, libdeflate: Path, tmp_path: Path
) -> None:
    if importlib.util.find_spec("ziglang") is None:
        pytest.skip("the compiler is not installed: run `make .venv/installed-launcher`")
    recipe.build(tmp_path)
    compiled = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    committed = {path.name: path.read_bytes() for path in COMMITTED.iterdir()}
    assert compiled.keys() == committed.keys()
    differing = [name for name in compiled if compiled[name] != committed[name]]
    assert differing == [], "run `make launcher` and commit what it compiled"


def test_what_others_wrote_in_the_launcher_is_listed_with_its_licence() -> None:
    parts = json.loads(LAUNCHER_PARTS.read_bytes())
    assert [part["name"] for part in parts] == ["libdeflate", "musl", "zig"]
    for part in parts:
        assert part["version"]
        licence = part["licenses"][0]["license"]
        assert licence["id"] == "MIT"
        assert "Copyright" in licence["text"]["content"]
        assert "WITHOUT WARRANTY OF ANY KIND" in " ".join(licence["text"]["content"].split())
