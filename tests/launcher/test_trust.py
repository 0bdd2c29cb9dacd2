"""Whose runtime is run: it runs as whoever starts the file, so nobody else may have put it where it lies."""

import grp
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.launched import as_user, identity, make_file, run

US, STRANGER = 12345, 23456
"""Users that no machine has: B, who starts the file, and A, who would like to run code as B."""

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two users")


@pytest.fixture
def file(shared: Path) -> Path:
    return make_file(shared / "files")


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that any user reaches, as `/srv` may be; pytest's own are for nobody else."""
    with tempfile.TemporaryDirectory(prefix="encoderfile-") as folder:
        Path(folder).chmod(0o755)
        (Path(folder) / "files").mkdir()
        yield Path(folder)
    for place in ("/var/tmp", "/tmp", "/dev/shm"):  # where a file goes that can trust nothing in `folder`
        shutil.rmtree(Path(place, f"encoderfile-{US}"), ignore_errors=True)


def made(path: Path, owner: int, mode: int = 0o755) -> Path:
    """A folder of that owner."""
    path.mkdir()
    os.chown(path, owner, owner)
    path.chmod(mode)
    return path


def trap(cache: Path, file: Path, owner: int) -> None:
    """Puts a runtime of `owner` into a cache folder, that says TRAP."""
    folder = cache / identity(file)
    (folder / "_internal").mkdir(parents=True)
    (folder / "runtime").write_text("#!/bin/sh\necho TRAP\n")
    (folder / "runtime").chmod(0o755)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, owner, owner)


def test_a_cache_of_our_own_is_used(file: Path, shared: Path) -> None:
    home = made(shared / "home", US)
    result = run(file, env={"HOME": str(home)}, prefix=as_user(US))
    assert result.stdout.startswith(f"{home}/.cache/encoderfile/{identity(file)}/runtime|"), result.stderr


@pytest.mark.parametrize("mode", [0o777, 0o757, 0o775])
def test_a_named_cache_that_others_may_write_into_is_refused_with_the_remedy(
    mode: int, file: Path, shared: Path
) -> None:
    cache = made(shared / "cache", US, mode)
    trap(cache, file, STRANGER)
    result = run(file, cache=cache, prefix=as_user(US))
    assert result.returncode == 1
    assert result.stderr == (
        f"error: toy: the runtime cannot be unpacked into any of {cache} (other users can write to {cache}: "
        f"run chmod go-w {cache}): set ENCODERFILE_CACHE_DIR to a folder where files can be written and executed, "
        "or ENCODERFILE_CACHE_TRUSTED=1 if nobody else can access this one\n"
    )


def test_a_named_cache_that_the_user_says_is_his_alone_is_used_as_it_is(file: Path, shared: Path) -> None:
    cache = made(shared / "cache", 0, 0o777)
    environment = {"ENCODERFILE_CACHE_DIR": str(cache), "ENCODERFILE_CACHE_TRUSTED": "1"}
    assert run(file, env=environment, prefix=as_user(US)).stdout.startswith(f"{cache}/")


@pytest.mark.parametrize("user", [US, 0], ids=["another user", "root"])
def test_a_named_cache_that_belongs_to_another_user_is_refused(user: int, file: Path, shared: Path) -> None:
    cache = made(shared / "cache", STRANGER)
    trap(cache, file, STRANGER)
    result = run(file, cache=cache, prefix=as_user(user))
    assert result.returncode == 1
    assert f"{cache} belongs to another user, uid {STRANGER}" in result.stderr


@pytest.mark.parametrize("user", [US, 0], ids=["another user", "root"])
def test_a_folder_above_that_belongs_to_another_user_is_refused(user: int, file: Path, shared: Path) -> None:
    above = made(shared / "above", STRANGER)
    cache = made(above / "cache", user)
    result = run(file, cache=cache, prefix=as_user(user))
    assert result.returncode == 1
    assert f"{above} belongs to another user, uid {STRANGER}" in result.stderr


def test_a_folder_above_that_others_may_write_into_is_refused(file: Path, shared: Path) -> None:
    above = made(shared / "above", 0, 0o777)
    cache = made(above / "cache", US)
    result = run(file, cache=cache, prefix=as_user(US))
    assert result.returncode == 1
    assert f"other users can write to {above}: run chmod go-w {above}" in result.stderr


def test_a_folder_of_ours_in_a_sticky_one_is_used(file: Path, shared: Path) -> None:
    sticky = made(shared / "sticky", 0, 0o1777)
    cache = made(sticky / "cache", US)
    assert run(file, cache=cache, prefix=as_user(US)).stdout.startswith(f"{cache}/")


def test_a_sticky_cache_is_used_for_what_is_ours_in_it(file: Path, shared: Path) -> None:
    cache = made(shared / "cache", 0, 0o1777)
    assert run(file, cache=cache, prefix=as_user(US)).stdout.startswith(f"{cache}/")
    result = run(file, cache=cache, prefix=as_user(STRANGER))
    assert result.returncode == 1
    assert f"belongs to another user, uid {US}" in result.stderr


def test_a_sticky_cache_serves_several_users_with_runtimes_of_their_own(file: Path, shared: Path) -> None:
    other = make_file(shared / "files", name="other")
    cache = made(shared / "cache", 0, 0o1777)
    assert run(file, cache=cache, prefix=as_user(US)).stdout.startswith(f"{cache}/")
    assert run(other, cache=cache, prefix=as_user(STRANGER)).stdout.startswith(f"{cache}/")


def a_file(path: Path) -> None:
    path.touch()
    path.chmod(0o666)


def a_pipe(path: Path) -> None:
    os.mkfifo(path)
    path.chmod(0o666)


def a_link_nowhere(path: Path) -> None:
    path.symlink_to(path.with_name("nowhere"))


@pytest.mark.parametrize("plant", [a_file, a_pipe, a_link_nowhere])
@pytest.mark.parametrize("lock", ["{}.lock", "unpacking-{}.lock"])
def test_a_lock_that_another_planted_neither_stops_us_for_ever_nor_is_followed(
    lock: str, plant: Callable[[Path], None], file: Path, shared: Path
) -> None:
    cache = made(shared / "cache", 0, 0o1777)
    path = cache / lock.format(identity(file) if lock.startswith("{") else US)
    plant(path)
    os.lchown(path, STRANGER, STRANGER)
    result = run(file, cache=cache, prefix=as_user(US))
    assert result.returncode in (0, 1)
    assert result.stderr.count("\n") == result.returncode
    assert not (cache / "nowhere").exists()


def test_in_a_user_namespace_where_root_has_no_number_our_home_is_used(file: Path, shared: Path) -> None:
    os.chown(shared, US, US)  # what is nobody's in a sticky folder may be anybody's
    home = made(shared / "home", US)
    prefix = (*as_user(US), "unshare", "--user", "--map-current-user")
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine allows no user namespaces")
    result = run(file, env={"HOME": str(home)}, prefix=prefix)
    assert result.stdout.startswith(f"{home}/.cache/encoderfile/"), result.stderr
    sticky = made(shared / "sticky", 0, 0o1777)
    made(sticky / ".cache", STRANGER)
    temporary = made(shared / "tmp", 0, 0o1777)
    result = run(file, env={"HOME": str(sticky), "TMPDIR": str(temporary)}, prefix=prefix)
    assert result.stdout.startswith(f"{temporary}/encoderfile-{US}/"), result.stderr


def test_a_cache_that_root_filled_serves_everybody(file: Path, shared: Path) -> None:
    cache = made(shared / "cache", 0)
    run(file, cache=cache)
    assert run(file, cache=cache, prefix=as_user(US)).stdout.startswith(f"{cache}/")


def by_name(path: Path) -> None:
    made(path, STRANGER)
    made(path / "encoderfile", STRANGER, 0o777)


def by_another_mode(path: Path) -> None:
    made(path, STRANGER, 0o777)


def by_a_link(path: Path) -> None:
    target = made(path.with_name("target"), STRANGER, 0o777)
    path.symlink_to(target)
    os.lchown(path, STRANGER, STRANGER)


def by_a_link_to_our_own(path: Path) -> None:
    """A link that A may lead elsewhere between two looks at it."""
    target = made(path.with_name("target"), US)
    path.symlink_to(target)
    os.lchown(path, STRANGER, STRANGER)


@pytest.mark.parametrize("plant", [by_name, by_another_mode, by_a_link, by_a_link_to_our_own])
def test_a_cache_that_another_planted_in_a_sticky_home_is_not_used(
    plant: Callable[[Path], None], file: Path, shared: Path
) -> None:
    home = made(shared / "home", 0, 0o1777)
    temporary = made(shared / "tmp", 0, 0o1777)
    plant(home / ".cache")
    trap(home / ".cache" / "encoderfile", file, STRANGER)
    result = run(file, env={"HOME": str(home), "TMPDIR": str(temporary)}, prefix=as_user(US))
    assert result.stdout.startswith(f"{temporary}/encoderfile-{US}/"), result.stderr


@pytest.mark.parametrize("plant", [by_name, by_another_mode, by_a_link, by_a_link_to_our_own])
def test_a_cache_that_another_planted_in_a_temporary_folder_is_not_used(
    plant: Callable[[Path], None], file: Path, shared: Path
) -> None:
    temporary = made(shared / "tmp", 0, 0o1777)
    planted = temporary / f"encoderfile-{US}"
    plant(planted)
    trap(planted, file, STRANGER)
    result = run(file, env={"TMPDIR": str(temporary)}, prefix=as_user(US))
    assert result.returncode == 0, result.stderr
    assert not result.stdout.startswith("TRAP")
    assert not result.stdout.startswith(f"{temporary}/")


def test_a_link_of_our_own_is_followed_to_a_folder_that_is_judged_like_any(file: Path, shared: Path) -> None:
    home = made(shared / "home", US)
    scratch = made(shared / "scratch", US)
    (home / ".cache").symlink_to("../scratch")
    os.lchown(home / ".cache", US, US)
    result = run(file, env={"HOME": str(home)}, prefix=as_user(US))
    assert result.stdout.startswith(f"{scratch}/encoderfile/{identity(file)}/runtime|"), result.stderr
    scratch.chmod(0o777)
    temporary = made(shared / "tmp", 0, 0o1777)
    result = run(file, env={"HOME": str(home), "TMPDIR": str(temporary)}, prefix=as_user(US))
    assert result.stdout.startswith(f"{temporary}/"), result.stderr


def test_a_link_that_leads_to_itself_is_refused(file: Path, shared: Path) -> None:
    (shared / "loop").symlink_to("loop")
    result = run(file, cache=shared / "loop")
    assert result.returncode == 1
    assert f"{shared / 'loop'} (Symbolic link loop)" in result.stderr


def loner() -> pwd.struct_passwd | None:
    """A user of this machine with a group of his own, as many systems give everybody."""
    groups = {group.gr_gid: group for group in grp.getgrall()}
    for user in pwd.getpwall():
        group = groups.get(user.pw_gid)
        others = [other for other in pwd.getpwall() if other.pw_gid == user.pw_gid and other.pw_uid != user.pw_uid]
        if (
            user.pw_uid
            and group
            and group.gr_name == user.pw_name
            and not {*group.gr_mem} - {user.pw_name} | {*others}
        ):
            return user
    return None


def test_a_group_that_is_the_users_alone_may_write(file: Path, shared: Path) -> None:
    user = loner()
    if user is None:
        pytest.skip("no user of this machine has a group of his own")
    cache = made(shared / "cache", user.pw_uid, 0o775)
    os.chown(cache, user.pw_uid, user.pw_gid)
    assert run(file, cache=cache, prefix=as_user(user.pw_uid)).stdout.startswith(f"{cache}/")
    os.chown(cache, user.pw_uid, STRANGER)
    assert "other users can write" in run(file, cache=cache, prefix=as_user(user.pw_uid)).stderr


@pytest.fixture
def beside(file: Path, shared: Path) -> Path:
    """The runtime beside the file, as `unpack` makes it."""
    cache = made(shared / "root's", 0)
    run(file, cache=cache)
    return Path(shutil.copytree(cache, file.parent / ".encoderfile", symlinks=True))


@pytest.mark.parametrize("user", [0, US], ids=["root", "another user"])
def test_what_the_files_owner_put_beside_it_is_run(user: int, file: Path, beside: Path, shared: Path) -> None:
    for path in (file.parent, file, beside, *beside.rglob("*")):
        os.lchown(path, STRANGER, STRANGER)
    result = run(file, cache=made(shared / "cache", user), prefix=as_user(user))
    assert result.stdout.startswith(f"{beside}/"), result.stderr


@pytest.mark.parametrize("part", ["", "{}", "{}/runtime", "{}/_internal", "{}/_internal/data.bin"])
def test_what_a_stranger_put_beside_a_file_is_not_run(part: str, file: Path, beside: Path, shared: Path) -> None:
    os.chown(beside / part.format(identity(file)), STRANGER, STRANGER)
    cache = made(shared / "cache", 0)
    assert run(file, cache=cache).stdout.startswith(f"{cache}/")


@pytest.mark.parametrize("part", ["", "{}", "{}/runtime", "{}/_internal", "{}/_internal/data.bin"])
def test_what_others_may_change_beside_a_file_is_not_run(part: str, file: Path, beside: Path, shared: Path) -> None:
    (beside / part.format(identity(file))).chmod(0o777)
    cache = made(shared / "cache", 0)
    assert run(file, cache=cache).stdout.startswith(f"{cache}/")


@pytest.mark.parametrize("part", ["{}", "{}/runtime", "{}/_internal", "{}/_internal/data.bin"])
def test_what_others_could_change_in_our_cache_is_unpacked_again(part: str, file: Path, shared: Path) -> None:
    cache = made(shared / "cache", 0)
    run(file, cache=cache)
    changed = cache / part.format(identity(file))
    changed.chmod(0o777)
    assert run(file, cache=cache).stdout.startswith(f"{cache}/")
    assert changed.stat().st_mode & 0o777 in (0o755, 0o644)
