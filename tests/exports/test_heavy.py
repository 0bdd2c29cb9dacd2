"""Weights above 2 GB, in several files and a folder of their own: built, mapped and answered from."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from support import heavy
from support.example_files import BIN, environment
from support.truth import close

pytestmark = pytest.mark.file

MEMORY = 1.3
"""Peak memory, as a multiple of the weights; mapped pages count."""
TEXT = "Hello world!"


def peak_memory(*command: str | Path, cwd: Path) -> tuple[str, int]:
    """What a command that must succeed prints, and the most bytes it had in memory."""
    with subprocess.Popen(
        [*command], cwd=cwd, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        output, log = process.stdout.read(), process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, log
    return output, usage.ru_maxrss * 1024


def _available_memory() -> int:
    """Bytes that a new program can have; what files are cached in counts as free."""
    rows = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return int(rows["MemAvailable"].split()[0]) * 1024


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("heavy")
    free = shutil.disk_usage(folder).free
    if free < 3 * heavy.WEIGHTS:
        pytest.skip(f"needs {3 * heavy.WEIGHTS / 1e9:.0f} GB of disk, {free / 1e9:.0f} GB are free")
    memory = _available_memory()
    if memory < 1.5 * heavy.WEIGHTS:
        pytest.skip(f"needs {1.5 * heavy.WEIGHTS / 1e9:.0f} GB of memory, {memory / 1e9:.0f} GB are free")
    yield heavy.write(folder / "model")
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def built(model: Path) -> tuple[Path, int]:
    """The built file, and the most memory that building took."""
    file = model.parent / "heavy.encoderfile"
    command = (BIN / "encoderfile", "build", model, "-o", file, "--device", "cpu")
    _, memory = peak_memory(*command, cwd=model.parent)
    return file, memory


def test_a_model_above_2_gb_builds_within_1_3_times_its_weights(built: tuple[Path, int]) -> None:
    file, memory = built
    assert file.stat().st_size > heavy.WEIGHTS >= 2**31
    assert memory <= MEMORY * heavy.WEIGHTS


def test_a_model_above_2_gb_answers_within_1_3_times_its_weights(built: tuple[Path, int]) -> None:
    file, _ = built
    output, memory = peak_memory(file, "infer", "--no-normalize", TEXT, cwd=file.parent)
    (result,) = json.loads(output)["results"]
    ids = np.array([each["token_info"]["token_id"] for each in result["embeddings"]])
    close([each["embedding"] for each in result["embeddings"]], heavy.expected(ids), 1e-5, TEXT)
    assert memory <= MEMORY * heavy.WEIGHTS


def test_a_data_file_truncated_by_one_byte_is_refused_before_anything_is_written(model: Path) -> None:
    data = model / heavy.FILES[1]
    size = data.stat().st_size
    os.truncate(data, size - 1)
    try:
        done = subprocess.run(
            [BIN / "encoderfile", "check", model], env=environment(), capture_output=True, text=True, check=False
        )
    finally:
        os.truncate(data, size)
    assert done.returncode == 1
    assert f"more/outer.bin has {size - 1} bytes and model.onnx needs {size}" in done.stderr
