"""Where the runtime is unpacked, once, and what happens when it cannot be."""

import fcntl
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from support.launched import identity, in_namespace, make_file, read_only, run


def unpacked(cache: Path) -> list[str]:
    """What lies in a cache folder beside locks."""
    return sorted(path.name for path in cache.iterdir() if path.suffix != ".lock")


def test_the_first_run_unpacks_and_the_second_uses_what_is_there(tmp_path: Path) -> None:
    file = make_file(tmp_path)
    cache = tmp_path / "cache"
    first = run(file, "a", "b c", cache=cache)
    program = cache / identity(file) / "runtime"
    assert first.stdout == f"{program}|{file}|a b c\n"
    assert (program.parent / "_internal" / "link").readlink() == Path("data.bin")
    unpacked_once = program.stat().st_ino
    assert run(file, "a", "b c", cache=cache).stdout == first.stdout
    assert program.stat().st_ino == unpacked_once
    assert unpacked(cache) == [identity(file)]


def test_a_named_cache_folder_is_made_with_its_parents(tmp_path: Path) -> None:
    file = make_file(tmp_path)
    assert run(file, cache=tmp_path / "deep" / "er" / "cache").returncode == 0


@pytest.mark.parametrize(
    ("env", "where"),
    [
        ({"XDG_CACHE_HOME": "{}/xdg", "HOME": "{}/home"}, "xdg/encoderfile"),
        ({"HOME": "{}/home"}, "home/.cache/encoderfile"),
        ({"TMPDIR": "{}/tmp"}, f"tmp/encoderfile-{os.geteuid()}"),
        ({"HOME": "/proc/none", "TMPDIR": "{}/tmp"}, f"tmp/encoderfile-{os.geteuid()}"),
    ],
)
def test_without_a_named_folder_the_first_usable_one_is_taken(
    env: dict[str, str], where: str, tmp_path: Path
) -> None:
    file = make_file(tmp_path)
    (tmp_path / "tmp").mkdir()
    environment = {name: value.format(tmp_path) for name, value in env.items()}
    result = run(file, env=environment)
    assert result.stdout.startswith(f"{tmp_path / where}/{identity(file)}/runtime|")


def test_a_folder_that_cannot_be_used_is_named_with_its_reason_and_the_variable_to_set(tmp_path: Path) -> None:
    file = make_file(tmp_path)
    blocker = tmp_path / "blocker"
    blocker.touch()
    result = run(file, cache=blocker / "cache")
    assert result.returncode == 1
    assert result.stderr == (
        f"error: toy: the runtime cannot be unpacked into any of {blocker}/cache (Not a directory): "
        "set ENCODERFILE_CACHE_DIR to a folder where files can be written and executed\n"
    )


def test_a_relative_cache_folder_is_refused(tmp_path: Path) -> None:
    result = run(make_file(tmp_path), env={"ENCODERFILE_CACHE_DIR": "somewhere"})
    assert result.returncode == 1
    assert "somewhere (not an absolute path)" in result.stderr


def test_a_shared_temporary_folder_that_others_may_write_into_is_not_trusted(tmp_path: Path) -> None:
    file = make_file(tmp_path)
    trap = tmp_path / "tmp" / f"encoderfile-{os.geteuid()}"
    trap.mkdir(parents=True)
    trap.chmod(0o777)
    result = run(file, env={"TMPDIR": str(tmp_path / "tmp")})
    assert str(trap) not in result.stdout
    assert unpacked(trap) == []


def test_a_runtime_beside_the_file_is_used_before_any_cache(tmp_path: Path) -> None:
    file = make_file(tmp_path)
    cache = tmp_path / "cache"
    run(file, cache=cache)
    shutil.copytree(cache / identity(file), tmp_path / ".encoderfile" / identity(file), symlinks=True)
    result = run(file, env={"ENCODERFILE_CACHE_DIR": "/proc/none"})
    assert result.stdout.startswith(f"{tmp_path}/.encoderfile/{identity(file)}/runtime|")


def test_many_first_runs_at_once_unpack_once_and_all_answer(tmp_path: Path) -> None:
    file = make_file(tmp_path, filler=200)
    cache = tmp_path / "cache"
    with ThreadPoolExecutor(16) as pool:
        results = list(pool.map(lambda number: run(file, str(number), cache=cache), range(64)))
    program = cache / identity(file) / "runtime"
    assert [result.stdout for result in results] == [f"{program}|{file}|{number}\n" for number in range(64)]
    assert unpacked(cache) == [identity(file)]


def test_what_a_killed_unpacking_left_behind_is_removed(tmp_path: Path) -> None:
    file = make_file(tmp_path)
    cache = tmp_path / "cache"
    leftover = cache / f".{identity(file)}.tmp{os.geteuid()}-4242" / "_internal"
    leftover.mkdir(parents=True)
    (leftover / "half").write_bytes(b"half")
    assert run(file, cache=cache).returncode == 0
    assert unpacked(cache) == [identity(file)]


def test_two_versions_live_side_by_side(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    old, new = make_file(tmp_path, name="old"), make_file(tmp_path, name="new")
    for file in (old, new, old):
        assert run(file, cache=cache).stdout.startswith(f"{cache}/{identity(file)}/")
    assert unpacked(cache) == sorted([identity(old), identity(new)])


def test_a_runtime_nobody_started_for_weeks_is_pruned_when_a_new_one_comes(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    old, new = make_file(tmp_path, name="old"), make_file(tmp_path, name="new")
    run(old, cache=cache)
    lock = cache / f"{identity(old)}.lock"
    os.utime(lock, (0, 0))
    run(new, cache=cache)
    assert unpacked(cache) == [identity(new)]


def test_a_runtime_in_use_is_not_pruned_however_old_its_start(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    old = make_file(tmp_path, script="#!/bin/sh\necho started\nread line\n", name="old")
    new = make_file(tmp_path, name="new")
    with subprocess.Popen(
        [str(old)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"ENCODERFILE_CACHE_DIR": str(cache)},
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"started\n"
        os.utime(cache / f"{identity(old)}.lock", (0, 0))
        run(new, cache=cache)
        assert unpacked(cache) == sorted([identity(old), identity(new)])
        running.communicate(b"\n")


def test_a_lock_that_somebody_holds_for_ever_does_not_stop_a_start(tmp_path: Path) -> None:
    """Whoever can read a shared cache can lock what lies in it."""
    file = make_file(tmp_path)
    cache = tmp_path / "cache"
    run(file, cache=cache)
    with (cache / f"{identity(file)}.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert run(file, cache=cache).returncode == 0


def test_a_cache_that_was_filled_and_is_read_only_now_serves(tmp_path: Path) -> None:
    file = make_file(tmp_path)
    cache = tmp_path / "cache"
    run(file, cache=cache)
    result = run(file, cache=cache, prefix=read_only(cache))
    assert result.returncode == 0, result.stderr


def test_a_disk_mounted_noexec_is_named_as_such(tmp_path: Path) -> None:
    file = make_file(tmp_path)
    disk = tmp_path / "disk"
    disk.mkdir()
    prefix = in_namespace(f'mount -t tmpfs -o noexec tmpfs "{disk}"')
    result = run(file, cache=disk / "cache", prefix=prefix, env={"PATH": os.environ["PATH"]})
    assert result.returncode == 1
    assert f"{disk}/cache (mounted noexec)" in result.stderr


def test_a_full_disk_is_named_as_such_and_left_empty(tmp_path: Path) -> None:
    file = make_file(tmp_path, filler=50)
    disk = tmp_path / "disk"
    disk.mkdir()
    prefix = in_namespace(f'mount -t tmpfs -o size=64k tmpfs "{disk}" && trap "ls -A {disk}/cache >&2" EXIT')
    prefix = (*prefix[:-2], prefix[-2].replace('exec "$@"', '"$@"'), prefix[-1])
    result = run(file, cache=disk / "cache", prefix=prefix, env={"PATH": os.environ["PATH"]})
    assert f"{disk}/cache (No space left on device)" in result.stderr
    assert result.stderr.splitlines()[-2:] == [f"{identity(file)}.lock", f"unpacking-{os.geteuid()}.lock"]
