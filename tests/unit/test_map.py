"""The map for contributors in docs/how-it-works.md names every file, and no other."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "encoderfile"
PAGE = (ROOT / "docs" / "how-it-works.md").read_text()
SECTIONS = dict(re.findall(r"^### (Shared|\w+/)\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))
ROOMS = {"Shared": PACKAGE, **{f"{folder.name}/": folder for folder in PACKAGE.iterdir() if any(folder.glob("*.py"))}}


def test_every_room_has_its_section() -> None:
    assert SECTIONS.keys() == ROOMS.keys()


@pytest.mark.parametrize("room", ROOMS)
def test_every_file_of_a_room_is_on_the_map(room: str) -> None:
    folder = ROOMS[room]
    files = folder.glob("*.py") if folder == PACKAGE else folder.rglob("*.py")
    there = [
        str(path.relative_to(folder)) for path in files if "_pb" not in path.parts and path.name != "__init__.py"
    ]
    named = re.findall(r"`([\w/]+\.py)`", SECTIONS[room])
    assert sorted(named) == sorted(there)
