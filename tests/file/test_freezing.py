"""A runtime that was frozen once is used again, whatever else is installed."""

import json
import shutil
import subprocess
from pathlib import Path

from encoderfile import __version__ as version
from encoderfile.builder.runtimes.cache import RECORD_SUFFIX, cache_folder, fingerprint
from support.files import COMMAND, FREEZE_PATIENCE, BuiltFile, builder_environment, encoderfile, namespace, sentence
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


def read_only(folder: Path) -> list[str]:
    """A command prefix that runs the rest where nothing in `folder` can be written."""
    prepare = 'mount --bind "{0}" "{0}" && mount -o remount,ro,bind "{0}" "{0}"'
    return namespace("mount", prepare=prepare.format(folder))


def test_a_runtime_in_a_folder_that_cannot_be_written_is_used(sentiment: BuiltFile, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    for path in cache_folder(None).glob(f"runtime-{version}-cpu-{fingerprint('cpu')}*"):
        shutil.copy(path, cache)
    for path in cache.glob(f"*{RECORD_SUFFIX}"):  # its files look new, as they do in a container's image
        path.write_text(json.dumps(json.loads(path.read_bytes()) | {"seen": {}}))
    flags = ("--name", "sentiment", "-o", tmp_path / "model", "--cache-dir", cache)
    done = encoderfile("build", DEMO["sentiment"], *flags, prefix=read_only(cache))
    assert done.returncode == 0, done.stderr
    assert "freezing" not in done.stderr
    assert (tmp_path / "model").read_bytes() == sentiment.path.read_bytes()


def test_without_one_the_folder_is_named(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    flags = ("-o", tmp_path / "model", "--cache-dir", cache)
    done = encoderfile("build", DEMO["sentiment"], *flags, prefix=read_only(cache))
    assert sentence(done, after_steps=True).startswith(f"cannot write into the cache folder {cache}: Read-only")
