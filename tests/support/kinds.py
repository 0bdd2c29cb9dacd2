"""The folders of each further kind of model, with the answers of the kind's own library beside them."""

from __future__ import annotations

from pathlib import Path

from support.models import ROOT

KINDS: dict[str, Path] = {path.name: path for path in sorted((ROOT / "tests" / "kinds" / "models").iterdir())}
"""By the names of the folders; `expected.json` in each says by which call the answers were made."""
