"""Where the tests find real exports, and how they open one without building a file."""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

from encoderfile.builder.check import Checked, check
from encoderfile.builder.config import BuildConfig, TokenizerOptions
from encoderfile.model.device import Device
from encoderfile.model.model import Model
from encoderfile.model.session import Session
from encoderfile.model.tokenizer import Tokenizer

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "tests" / "models"
EXAMPLES = ROOT / "examples"
DEMO = {name: EXAMPLES / name / "model" for name in ("sentiment", "ner", "embed")}


def folders_with_truth() -> dict[str, Path]:
    """Every export with an expected.json: ours, the examples', and those of ENCODERFILE_TEST_MODELS (a folder)."""
    found = {path.parent.name: path.parent for path in sorted(MODELS.glob("*/expected.json"))}
    found |= {f"demo-{name}": folder for name, folder in DEMO.items()}
    more = os.environ.get("ENCODERFILE_TEST_MODELS")
    if more:
        found |= {path.parent.name: path.parent for path in sorted(Path(more).glob("*/expected.json"))}
    return found


def expected(folder: Path) -> dict[str, Any]:
    """The reference answers beside a model."""
    truth: dict[str, Any] = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    return truth


@cache
def checked(folder: Path, model_type: str | None = None, max_length: int | None = None) -> Checked:
    """What the builder finds of a folder."""
    return check(BuildConfig(path=folder, model_type=model_type, tokenizer=TokenizerOptions(max_length=max_length)))


@cache
def open_model(folder: Path, model_type: str | None = None, max_length: int | None = None) -> Model:
    """The model in `folder`, loaded the runtime's way: graph apart, weights mapped."""
    found = checked(folder, model_type, max_length)
    session = Session(*found.graph.in_place(), device=Device("cpu", "tests"), threads=1)
    tokenizer = Tokenizer(found.folder.files["tokenizer.json"], found.manifest.tokenizer)
    return Model(found.manifest, tokenizer, session, tensors=found.tensors)
