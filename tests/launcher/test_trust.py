"""Whose runtime is run: code found beside a file or in a shared folder runs as whoever starts the file."""

import os
import shutil
from pathlib import Path

import pytest

from support.launched import identity, make_file, run

STRANGER = 12345

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file another user's")


@pytest.fixture
def planted(tmp_path: Path) -> tuple[Path, Path]:
    """A file, and a runtime beside it that says TRAP."""
    file = make_file(tmp_path)
    runtime = tmp_path / ".encoderfile" / identity(file)
    runtime.mkdir(parents=True)
    (runtime / "runtime").write_text("#!/bin/sh\necho TRAP\n")
    (runtime / "runtime").chmod(0o755)
    return file, tmp_path / ".encoderfile"


def test_what_the_files_owner_put_beside_it_is_run(planted: tuple[Path, Path], tmp_path: Path) -> None:
    assert run(planted[0], cache=tmp_path / "cache").stdout == "TRAP\n"


@needs_root
@pytest.mark.parametrize("part", ["folder", "program"])
def test_what_a_stranger_put_beside_a_file_is_not_run(part: str, planted: tuple[Path, Path], tmp_path: Path) -> None:
    file, beside = planted
    os.chown(beside if part == "folder" else beside / identity(file) / "runtime", STRANGER, STRANGER)
    assert run(file, cache=tmp_path / "cache").stdout.startswith(f"{tmp_path / 'cache'}/")


def test_what_others_may_change_beside_a_file_is_not_run(planted: tuple[Path, Path], tmp_path: Path) -> None:
    file, beside = planted
    beside.chmod(0o777)
    assert run(file, cache=tmp_path / "cache").stdout.startswith(f"{tmp_path / 'cache'}/")


@needs_root
def test_a_cache_below_a_home_that_belongs_to_a_stranger_is_not_used(tmp_path: Path) -> None:
    file = make_file(tmp_path)
    cache = tmp_path / "home" / ".cache" / "encoderfile"
    cache.mkdir(parents=True)
    os.chown(cache, STRANGER, STRANGER)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    result = run(file, env={"HOME": str(tmp_path / "home"), "TMPDIR": str(temporary)})
    assert result.stdout.startswith(f"{temporary}/encoderfile-0/")
    shutil.rmtree(cache)
