"""A built file leaves nothing behind but its cache, and needs neither a home nor a name nor a writable disk."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.files import PATIENCE, BuiltFile, namespace, tree

GOOD = ["infer", "What a wonderful film!"]
NOBODY = 65534


class Surroundings:
    """A home, a working folder, a temporary folder and the file's own folder, to be found unchanged."""

    def __init__(self, folder: Path, file: BuiltFile) -> None:
        self.home, self.work, self.temporary, beside = (folder / name for name in ("home", "work", "tmp", "beside"))
        for each in (self.home, self.work, self.temporary, beside):
            each.mkdir()
        self.file = file.at(Path(shutil.copy(file.path, beside / "model")))
        self._all = folder
        self._before = tree(folder)

    @property
    def env(self) -> dict[str, str]:
        return {"HOME": str(self.home), "TMPDIR": str(self.temporary)}

    def new(self) -> set[str]:
        """What was made or changed since."""
        now = tree(self._all)
        return {path for path in now.keys() | self._before.keys() if now.get(path) != self._before.get(path)}


@pytest.fixture
def around(sentiment: BuiltFile, tmp_path: Path) -> Surroundings:
    return Surroundings(tmp_path, sentiment)


@pytest.mark.parametrize("command", [GOOD, ["info"], ["mcp"], ["--version"]], ids=lambda words: words[0])
def test_a_command_writes_nothing_anywhere(command: list[str], around: Surroundings) -> None:
    assert around.file.run(*command, env=around.env, cwd=around.work).returncode == 0
    assert around.new() == set()


def test_a_server_writes_nothing_anywhere(around: Surroundings, clients: Any) -> None:
    with around.file.serve(env=around.env, cwd=around.work) as server:
        for way in ("http", "grpc", "mcp"):
            assert clients(way, server, "sentiment").predict(["good"]).results
        assert server.end() == 0
    assert around.new() == set()


def test_without_a_named_cache_the_home_gets_one_and_nothing_else(around: Surroundings) -> None:
    done = around.file.run(*GOOD, env={**around.env, "ENCODERFILE_CACHE_DIR": ""}, cwd=around.work)
    assert done.returncode == 0
    outside = {path for path in around.new() if not path.startswith("home/.cache/encoderfile/")}
    assert outside == {"home", "home/.cache", "home/.cache/encoderfile"}


def test_an_empty_environment_and_a_read_only_folder_will_do(around: Surroundings) -> None:
    beside = around.file.path.parent
    # Without a home the runtime goes to /var/tmp: an empty one, so that the machine's own stays as it is.
    prepare = f'mount -t tmpfs tmpfs /var/tmp && mount --bind "{beside}" "{beside}"'
    prefix = namespace("mount", prepare=f'{prepare} && mount -o remount,ro,bind "{beside}" && cd "{beside}"')
    done = around.file.run(*GOOD, prefix=[*prefix, "env", "-i"])
    assert (done.returncode, done.stderr) == (0, "")
    assert '"predicted_label":"POSITIVE"' in done.stdout
    assert around.new() == set()


def test_a_read_only_machine_with_one_writable_folder_will_do(around: Surroundings) -> None:
    prepare = f'mount -t tmpfs tmpfs "{around.temporary}" && mount -o remount,ro,bind /'
    prefix = namespace("mount", prepare=prepare)
    done = around.file.run(*GOOD, prefix=prefix, env={"ENCODERFILE_CACHE_DIR": str(around.temporary / "cache")})
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter, unlike pytest's own."""
    folder = Path("/var/tmp") / f"encoderfile-test-{os.getpid()}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def test_a_user_without_a_home_or_a_name_will_do(sentiment: BuiltFile, open_folder: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    file = Path(shutil.copy(sentiment.path, open_folder / "model"))
    (open_folder / "tmp").mkdir()
    os.chown(open_folder / "tmp", NOBODY, NOBODY)
    done = subprocess.run(
        [file, *GOOD],
        env={"TMPDIR": str(open_folder / "tmp")},
        cwd="/",
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == sentiment.run(*GOOD).stdout
