"""A runtime that somebody else made, or can change, does not end in a file."""

import contextlib
import os
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from encoderfile.builder.runtimes import ownership
from encoderfile.errors import ConfigError

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two users")
STRANGER = 34567


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    folder = tmp_path / "cache"
    folder.mkdir(mode=0o755)
    return folder


@pytest.fixture
def pack(cache: Path) -> Path:
    path = cache / "runtime.pack"
    path.touch(0o644)
    return path


def test_what_is_missing_is_made_so_that_nobody_else_may_write_there(tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        made = ownership.own_folder(tmp_path / "deep" / "cache")
    finally:
        os.umask(mask)
    assert [each.stat().st_mode & 0o777 for each in (made, made.parent)] == [0o755, 0o755]


def test_a_link_is_followed_once_and_for_all(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(cache)
    assert ownership.own_folder(tmp_path / "link") == cache


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o775, 0o757])
def test_a_folder_that_others_may_write_into_is_refused_with_the_remedy(mode: int, cache: Path) -> None:
    os.chown(cache, -1, STRANGER if os.geteuid() == 0 else -1)
    cache.chmod(mode)
    with pytest.raises(
        ConfigError, match=re.escape(f"other users can write to {cache}") + r".*`chmod go-w .*--cache-dir"
    ):
        ownership.own_folder(cache)


def test_so_is_one_above(cache: Path) -> None:
    (cache / "deep").mkdir()
    cache.chmod(0o777)
    with pytest.raises(ConfigError, match=re.escape(f"other users can write to {cache},")):
        ownership.own_folder(cache / "deep")


def test_a_sticky_folder_above_is_fine(cache: Path) -> None:
    cache.chmod(0o1777)
    assert ownership.own_folder(cache / "deep") == cache / "deep"


@pytest.mark.parametrize(("name", "others"), [("us", False), ("staff", True)])
def test_a_group_that_is_the_users_own_is_not_another(
    name: str, others: bool, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.chmod(0o775)
    found = cache.stat()
    user = SimpleNamespace(pw_name="us", pw_uid=found.st_uid, pw_gid=found.st_gid)
    monkeypatch.setattr("pwd.getpwuid", lambda _: user)
    monkeypatch.setattr("pwd.getpwall", lambda: [user])
    monkeypatch.setattr("grp.getgrgid", lambda _: SimpleNamespace(gr_name=name, gr_mem=[]))
    with pytest.raises(ConfigError, match="other users can write") if others else contextlib.nullcontext():
        ownership.own_folder(cache)


@only_root
def test_a_folder_of_another_user_is_refused(cache: Path) -> None:
    os.chown(cache, STRANGER, STRANGER)
    with pytest.raises(ConfigError, match=f"{cache} belongs to another user, uid {STRANGER}.*--cache-dir"):
        ownership.own_folder(cache)


@only_root
def test_one_of_root_is_taken_by_everybody(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: STRANGER)
    assert ownership.own_folder(cache) == cache


@only_root
def test_a_file_of_another_user_is_refused(pack: Path) -> None:
    ownership.own_file(pack)
    os.chown(pack, STRANGER, STRANGER)
    with pytest.raises(ConfigError, match=f"{pack} belongs to another user, uid {STRANGER}"):
        ownership.own_file(pack)


def test_a_file_that_others_may_write_is_refused(pack: Path) -> None:
    pack.chmod(0o646)
    with pytest.raises(ConfigError, match=f"other users can write to {pack}"):
        ownership.own_file(pack)


def test_a_link_is_not_a_file(pack: Path, cache: Path) -> None:
    (cache / "link").symlink_to(pack)
    with pytest.raises(ConfigError, match="link is not a regular file: remove it"):
        ownership.own_file(cache / "link")


def test_who_is_alone_can_say_so(cache: Path, pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.chmod(0o777)
    pack.chmod(0o666)
    monkeypatch.setenv("ENCODERFILE_CACHE_TRUSTED", "1")
    ownership.own_file(pack)
    assert ownership.own_folder(cache) == cache
