"""A new model type is declared once: the steps of docs/how-it-works.md, followed as they stand there."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.models import MODELS, ROOT, open_model

PAGE = (ROOT / "docs" / "how-it-works.md").read_text(encoding="utf-8")
RECIPE = PAGE[PAGE.index("## A new model type") :]
TEXTS = ["Hello world!", "a"]


def block(language: str) -> str:
    """The one block of the recipe in this language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", RECIPE[: RECIPE.index("\n## ", 1)], flags=re.M | re.S)
    return str(found)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a copy of the package that knows the type of the recipe."""
    folder = tmp_path_factory.mktemp("new-type")
    for part in ("encoderfile", "proto", "build"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "encoderfile" / "tasks" / "vector_length.py").write_text(block("python"), encoding="utf-8")
    edit(
        folder / "encoderfile" / "tasks" / "__init__.py",
        ("from encoderfile.types import FloatArray\n", IMPORT + "from encoderfile.types import FloatArray\n"),
        ("        TokenClassification,\n", "        TokenClassification,\n        VectorLengths,\n"),
    )
    (number,) = re.findall(r"`(VECTOR_LENGTH = \d+;)`", RECIPE)
    proto = folder / "proto" / "encoderfile.proto"
    edit(proto, ("  SENTENCE_EMBEDDING = 4;\n", f"  SENTENCE_EMBEDDING = 4;\n  {number}\n"))
    proto.write_text(proto.read_text(encoding="utf-8") + block("proto"), encoding="utf-8")
    pb = folder / "encoderfile" / "transports" / "_pb"
    subprocess.run([sys.executable, folder / "build" / "protos.py", pb], check=True)
    return folder


IMPORT = "from encoderfile.tasks.vector_length import VectorLengths\n"


def edit(file: Path, *changes: tuple[str, str]) -> None:
    text = file.read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} is not once in {file}"
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")


def run(package: Path, *arguments: str | Path) -> str:
    """What a program prints that finds the copy of the package first."""
    path = os.pathsep.join([str(package), str(ROOT / "tests")])
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=package,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def answers(package: Path) -> dict[str, Any]:
    """What a model of the type answers when it is asked on every transport."""
    asked = json.dumps({"inputs": TEXTS, "scale": 3.0})
    script = ROOT / "tests" / "support" / "new_type.py"
    found: dict[str, Any] = json.loads(run(package, script, MODELS / "bert-embed", "vector_length", asked))
    return found


def test_every_transport_gives_the_result_of_the_new_type(answers: dict[str, Any]) -> None:
    model = open_model(MODELS / "bert-embed", "embedding")
    means = [each.embeddings.mean(axis=0) for each in model.run(model.encode(TEXTS))]  # type: ignore[union-attr]
    wanted = [3 * float(np.linalg.norm(mean)) for mean in means]
    for transport in ("http", "grpc", "mcp"):
        found = [each["length"] for each in answers[transport]]
        np.testing.assert_allclose(found, wanted, rtol=1e-4, err_msg=transport)


def test_the_options_of_the_new_type_are_described_and_are_flags_of_infer(answers: dict[str, Any]) -> None:
    scale = answers["request"]["properties"]["scale"]
    assert (scale["type"], scale["nullable"]) == ("number", True)
    assert scale["description"].startswith("What the length is multiplied by.")
    assert "scale" in answers["flags"]


def test_the_builder_checks_a_folder_for_the_new_type(package: Path) -> None:
    program = "from encoderfile.cli.main import main; main()"
    command = ("-c", program, "check", MODELS / "bert-embed", "--model-type", "vector_length")
    assert "vector_length (given by --model-type)" in run(package, *command)
