"""A file appears at its name when it is whole, and not before."""

import errno
import os
from pathlib import Path

import pytest

from encoderfile.atomic import replacing
from encoderfile.errors import ConfigError


def fail(target: Path, error: BaseException) -> None:
    with replacing(target, "--place") as temporary:
        temporary.write_text("half")
        raise error


def test_the_file_appears_when_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "model"
    with replacing(target, "--place") as temporary:
        temporary.write_text("new")
        assert temporary.parent == tmp_path, "a rename is atomic within one folder"
        assert not target.exists()
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_missing_folders_are_made(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b" / "model"
    with replacing(target, "--place") as temporary:
        temporary.write_text("new")
    assert target.read_text() == "new"


@pytest.mark.parametrize("error", [ValueError("ours"), KeyboardInterrupt()], ids=["an error", "Ctrl-C"])
def test_a_failure_leaves_nothing_and_keeps_the_older_file(tmp_path: Path, error: BaseException) -> None:
    target = tmp_path / "model"
    target.write_text("old")
    with pytest.raises(type(error)):
        fail(target, error)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_full_disk_is_one_sentence_with_the_name(tmp_path: Path) -> None:
    target = tmp_path / "model"
    with pytest.raises(ConfigError) as refusal:
        fail(target, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    assert str(refusal.value) == f"cannot write {target}: No space left on device; choose another place with --place"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_the_way_is_named_and_stays(tmp_path: Path) -> None:
    target = tmp_path / "model"
    target.mkdir()
    with (
        pytest.raises(ConfigError, match=r"model is a folder; give the name of a file with --place"),
        replacing(target, "--place"),
    ):
        pass
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_where_a_folder_is_needed_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    target = tmp_path / "file" / "model"
    with pytest.raises(ConfigError) as refusal, replacing(target, "--place"):
        pass
    assert str(refusal.value).startswith(f"cannot write into {tmp_path / 'file'}: ")
    assert "choose another place with --place" in str(refusal.value)


def test_a_new_file_may_be_read_as_the_umask_says(tmp_path: Path) -> None:
    usual, target = tmp_path / "usual", tmp_path / "report.json"
    usual.touch()
    with replacing(target, "--place") as temporary:
        temporary.write_text("new")
    assert target.stat().st_mode == usual.stat().st_mode


def test_a_pipe_is_written_and_not_replaced_by_a_file(tmp_path: Path) -> None:
    target = tmp_path / "pipe"
    os.mkfifo(target)
    reader = os.open(target, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with replacing(target, "--place") as place:
            place.write_text("new")
        assert os.read(reader, 10) == b"new"
    finally:
        os.close(reader)
    assert target.is_fifo()


def test_a_pipe_without_a_path_of_its_own_is_written_too() -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as answers, os.fdopen(writer):
        with replacing(Path(f"/dev/fd/{writer}"), "--place") as place:
            place.write_text("told")
        assert os.read(answers.fileno(), 10) == b"told"
