"""A folder for files between two steps of a build."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path


class Scratch:
    """A new folder, removed when this object goes."""

    def __init__(self, purpose: str) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=f"encoderfile-{purpose}-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)
