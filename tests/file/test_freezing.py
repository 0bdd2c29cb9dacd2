"""A runtime that was frozen once is used again, whatever else is installed."""

import subprocess
from pathlib import Path

from support.files import COMMAND, FREEZE_PATIENCE, BuiltFile, builder_environment
from support.models import DEMO


def test_a_package_that_is_not_frozen_does_not_freeze_again(sentiment: BuiltFile, tmp_path: Path) -> None:
    site = tmp_path / "site"
    (site / "unrelated-1.0.dist-info").mkdir(parents=True)
    (site / "unrelated-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: unrelated\nVersion: 1.0\n"
    )
    (site / "unrelated.py").touch()
    done = subprocess.run(
        [COMMAND, "build", DEMO["sentiment"], "--name", "sentiment", "-o", tmp_path / "model"],
        env=builder_environment(PYTHONPATH=str(site)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=FREEZE_PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    assert "freezing" not in done.stderr
    assert (tmp_path / "model").read_bytes() == sentiment.path.read_bytes()
