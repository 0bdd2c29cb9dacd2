"""What of our own code a runtime is frozen from."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import encoderfile

NOT_SHIPPED = ("api", "builder", "cli", "__main__.py")
"""Parts of the package that no runtime has, as runtime.spec says."""
RECIPE = ("runtime.spec", "entry.py", "hollow_mcp.py")


def recipe() -> Path:
    """The folder of runtime.spec: `build/` of the checkout, or its copy inside an installed package."""
    installed = Path(__file__).parents[1] / "recipe"
    return installed if installed.is_dir() else Path(__file__).parents[3] / "build"


@cache
def digest() -> str:
    """The checksum of our code that ships, and of the recipe; the same on every machine with this version."""
    package = Path(encoderfile.__file__).parent
    ours = [path for path in package.rglob("*") if _ships(path, package)]
    files = {str(path.relative_to(package)): path for path in ours} | {name: recipe() / name for name in RECIPE}
    found = hashlib.sha256()
    for name in sorted(files):
        found.update(name.encode() + b"\0" + hashlib.sha256(files[name].read_bytes()).digest())
    return found.hexdigest()[:16]


def _ships(path: Path, package: Path) -> bool:
    """Code, and the files of the page."""
    part = path.relative_to(package).parts[0]
    return part not in NOT_SHIPPED and (path.suffix == ".py" or (path.parent.name == "static" and path.is_file()))
