"""The map for contributors in docs/how-it-works.md names every file, and no other."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "encoderfile"
PAGE = (ROOT / "docs" / "how-it-works.md").read_text()
SECTIONS = dict(re.findall(r"^### (Shared|\w+/)\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))
FOLDERS = {
    "Shared": PACKAGE,
    **{f"{folder.name}/": folder for folder in PACKAGE.iterdir() if any(folder.glob("*.py"))},
}


def test_every_folder_has_its_section() -> None:
    assert SECTIONS.keys() == FOLDERS.keys()


@pytest.mark.parametrize("name", FOLDERS)
def test_every_file_is_on_the_map(name: str) -> None:
    folder = FOLDERS[name]
    files = folder.glob("*.py") if folder == PACKAGE else folder.rglob("*.py")
    there = [
        str(path.relative_to(folder)) for path in files if "_pb" not in path.parts and path.name != "__init__.py"
    ]
    named = re.findall(r"`([\w/]+\.py)`", SECTIONS[name])
    assert sorted(named) == sorted(there)
