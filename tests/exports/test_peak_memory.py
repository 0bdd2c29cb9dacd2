"""Memory of runs: bounded by the token budget, whatever shapes come in whatever order."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support import shapes
from support.models import DEMO

MAX_LENGTH = 256
SLACK_KIB = 24 << 10
"""Threads' stacks, code paged in by the first run."""


def folder(name: str) -> Path:
    more = os.environ.get("ENCODERFILE_TEST_MODELS")
    if name in DEMO:
        return DEMO[name]
    if not more or not (Path(more) / name).is_dir():
        pytest.skip(f"ENCODERFILE_TEST_MODELS names no folder with {name}")
    return Path(more) / name


def bound_kib(model: Path, budget: int) -> int:
    """What docs/performance.md says: 4 bytes x tokens x (8 x inner size + 4 x heads x longest text)."""
    config = json.loads((model / "config.json").read_text())
    floats = 8 * config["intermediate_size"] + 4 * config["num_attention_heads"] * MAX_LENGTH
    return 4 * budget * floats // 1024 + SLACK_KIB


@pytest.mark.parametrize("budget", [256, 1024, 4096])
@pytest.mark.parametrize("name", ["sentiment", "minilm-embed"])
def test_runs_of_every_shape_keep_memory_within_the_stated_function_of_the_budget(name: str, budget: int) -> None:
    model = folder(name)
    command = [sys.executable, shapes.__file__, str(model), str(MAX_LENGTH), str(budget)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) <= bound_kib(model, budget)
