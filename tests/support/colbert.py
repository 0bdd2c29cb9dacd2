"""ColBERT folders of other forms, made from those there are."""

import shutil
from pathlib import Path
from typing import Any

from support.graphs import edit_json
from support.kinds import KINDS

CONFIG = "config_sentence_transformers.json"


def flat(folder: Path, *without: str, **config: Any) -> Path:
    """What pylate's exporter writes, with other settings."""
    shutil.copytree(KINDS["colbert"], folder)
    edit_json(folder, CONFIG, *without, **config)
    return folder


def vespa(folder: Path, **metadata: Any) -> Path:
    """Stanford's files beside the graph for Vespa, with other settings."""
    shutil.copytree(KINDS["colbert-vespa"], folder)
    edit_json(folder, "artifact.metadata", **metadata)
    return folder
