"""Memory of a served MiniLM: measured by the kernel as the peak of its process, after texts of every length."""

import os
from pathlib import Path
from typing import Any

import pytest

from support.files import BuiltFile

LIMIT_MB = 300


@pytest.fixture
def minilm(files: Any) -> BuiltFile:
    more = os.environ.get("ENCODERFILE_TEST_MODELS")
    folder = Path(more or ".") / "minilm-embed"
    if not more or not folder.is_dir():
        pytest.skip("ENCODERFILE_TEST_MODELS names no folder with minilm-embed (90 MB of weights)")
    file: BuiltFile = files.build("minilm", folder)
    return file


def peak_mb(pid: int) -> float:
    """VmHWM: the most memory the process ever had resident, mapped files included."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = (each for each in status.splitlines() if each.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


@pytest.mark.proves("ENC Rate limiting and performance", "Advice: watch memory")
def test_a_served_minilm_stays_below_300_mb(minilm: BuiltFile, clients: Any) -> None:
    lengths = [1, 5, 20, 60, 120, 250, 400]
    with minilm.serve("--threads", 2, "--log-level", "debug") as server:
        for way in ("http", "grpc", "mcp"):
            client = clients(way, server, "embed")
            for length in lengths:
                assert client.predict(["word " * length]).results
            assert len(client.predict(["word " * length for length in lengths * 10]).results) == 70
        peak = peak_mb(server.process.pid)
        assert server.end() == 0
        assert "up to 2 instances run at the same time" in server.text, "the weights were packed twice"
    assert peak < LIMIT_MB
