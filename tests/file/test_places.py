"""A built file runs wherever it lies and whatever it is called."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from support.files import PATIENCE, BuiltFile

GOOD = ["infer", "What a wonderful film!"]


@pytest.mark.parametrize("name", ["renamed", "with space", "größe 東京 😀", "-dash", "x.exe", "a'b\"c$d"])
def test_any_name_will_do(name: str, sentiment: BuiltFile, tmp_path: Path) -> None:
    file = sentiment.at(Path(shutil.copy(sentiment.path, tmp_path / name)))
    assert file.run(*GOOD).stdout == sentiment.run(*GOOD).stdout


def test_any_folder_will_do(sentiment: BuiltFile, tmp_path: Path) -> None:
    folder = tmp_path / "größe mit leer" / "東京"
    folder.mkdir(parents=True)
    file = sentiment.at(Path(shutil.copy(sentiment.path, folder / "model")))
    assert file.run(*GOOD, cwd=folder).stdout == sentiment.run(*GOOD).stdout


def test_a_file_that_was_moved_away_after_use_runs_on(sentiment: BuiltFile, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    shutil.copy(sentiment.path, here)
    first = sentiment.at(here).run(*GOOD)
    here.rename(there)
    assert sentiment.at(there).run(*GOOD).stdout == first.stdout != ""


@pytest.mark.parametrize("kind", ["symlink", "a chain of symlinks", "a hard link", "a relative symlink"])
def test_links_lead_to_the_file(kind: str, sentiment: BuiltFile, tmp_path: Path) -> None:
    file = Path(shutil.copy(sentiment.path, tmp_path / "file"))
    link = tmp_path / "bin" / "link"
    link.parent.mkdir()
    if kind == "a hard link":
        os.link(file, link)
    elif kind == "a relative symlink":
        link.symlink_to("../file")
    else:
        between = tmp_path / "between"
        between.symlink_to(file)
        link.symlink_to(between if kind == "a chain of symlinks" else file)
    assert sentiment.at(link).run(*GOOD).stdout == sentiment.run(*GOOD).stdout


@pytest.mark.parametrize("called", ["by its name on PATH", "by a relative path", "under another name"])
def test_the_way_it_is_called_does_not_matter(called: str, sentiment: BuiltFile) -> None:
    folder, name = sentiment.path.parent, sentiment.path.name
    program, words = {
        "by its name on PATH": (name, [name]),
        "by a relative path": (f"./{name}", [f"./{name}"]),
        "under another name": (str(sentiment.path), ["sh"]),
    }[called]
    environment = sentiment.environment()
    environment["PATH"] = f"{folder}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(
        [*words, *GOOD],
        executable=shutil.which(program, path=environment["PATH"]) if called == "by its name on PATH" else program,
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.stdout == sentiment.run(*GOOD).stdout


def test_the_folder_it_is_started_from_may_vanish(sentiment: BuiltFile, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    script = 'rmdir "$PWD" && exec "$0" infer "What a wonderful film!"'
    done = subprocess.run(
        ["sh", "-c", script, sentiment.path],
        env=sentiment.environment(),
        cwd=gone,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.stdout == sentiment.run(*GOOD).stdout
