"""The same model and the same version of the builder: the same bytes, also when the runtime is frozen anew."""

from pathlib import Path

from support.files import BuiltFile, encoderfile
from support.models import DEMO


def test_a_runtime_frozen_elsewhere_gives_the_same_bytes(sentiment: BuiltFile, tmp_path: Path) -> None:
    target = tmp_path / "again"
    flags = ("--name", "sentiment", "-o", target, "--cache-dir", tmp_path / "cache")
    done = encoderfile("build", DEMO["sentiment"], *flags)
    assert done.returncode == 0, done.stderr
    assert "freezing the" in done.stderr
    same = target.read_bytes() == sentiment.path.read_bytes()
    assert same
