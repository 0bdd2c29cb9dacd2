"""A machine that has no more threads, files or memory is a sentence and exit code 1, never a server that hangs."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.files import BuiltFile, sentence


def limited(limit: str) -> list[str]:
    """A prefix that runs the rest under `ulimit`."""
    return ["bash", "-c", f'ulimit {limit} && exec "$@"', "bash"]


@pytest.fixture
def of_nobody(sentiment: BuiltFile) -> Iterator[tuple[BuiltFile, list[str]]]:
    """The file for a user without privileges, whose threads are counted, and the prefix that becomes this user."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root can become another user")
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    user = 23457
    (folder / "cache").mkdir(exist_ok=True)
    os.chown(folder / "cache", user, user)
    # pytest's own folders are closed to others.
    file = Path(shutil.copy(sentiment.path, folder))
    yield BuiltFile(file, folder / "cache"), ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
    shutil.rmtree(folder)


@pytest.mark.parametrize("threads", [3, 8, 13])
def test_too_few_threads_are_said_at_start(threads: int, of_nobody: tuple[BuiltFile, list[str]]) -> None:
    file, as_nobody = of_nobody
    assert file.run("info", prefix=as_nobody).returncode == 0  # unpacked, which is not the point here
    done = file.run("serve", prefix=[*as_nobody, *limited(f"-u {threads}")])
    said = sentence(done)
    assert "threads that serving needs" in said
    assert said.endswith(
        "allow this user or container more of them (ulimit -u, pids.max), or more memory (ulimit -v)"
    )


@pytest.mark.parametrize("threads", [3, 8, 13])
def test_infer_with_few_threads_answers_or_says_why(threads: int, of_nobody: tuple[BuiltFile, list[str]]) -> None:
    file, as_nobody = of_nobody
    assert file.run("info", prefix=as_nobody).returncode == 0
    done = file.run("infer", "text", prefix=[*as_nobody, *limited(f"-u {threads}")])
    if done.returncode == 0:
        assert done.stdout.startswith('{"results":')
    else:
        assert "thread" in sentence(done)


def test_too_few_files_are_said_at_start(sentiment: BuiltFile) -> None:
    said = sentence(sentiment.run("serve", prefix=limited("-n 20")))
    assert said.startswith("this process may open 20 files (ulimit -n), and serving needs ")


@pytest.mark.parametrize("kilobytes", [300_000, 500_000])
def test_infer_with_little_memory_answers_or_says_why(kilobytes: int, sentiment: BuiltFile) -> None:
    assert sentiment.run("info").returncode == 0  # unpacked, which is not the point here
    done = sentiment.run("infer", "text", prefix=limited(f"-v {kilobytes}"))
    if done.returncode == 0:
        assert done.stdout.startswith('{"results":')
    else:
        assert "memory" in sentence(done)


def test_serve_with_little_memory_says_so(sentiment: BuiltFile) -> None:
    assert sentiment.run("info").returncode == 0
    assert "memory" in sentence(sentiment.run("serve", prefix=limited("-v 300000")))
