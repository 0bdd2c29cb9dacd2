"""A runtime that was changed after it was unpacked is noticed at the start, and unpacked again."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from support.launched import SAYS_WHERE, identity, in_namespace, make_file, read_only, run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return make_file(tmp_path, filler=3)


@pytest.fixture
def cache(file: Path, tmp_path: Path) -> Path:
    """A cache that the file filled."""
    assert run(file, cache=tmp_path / "cache").returncode == 0
    return tmp_path / "cache"


@pytest.fixture
def runtime(cache: Path, file: Path) -> Path:
    return cache / identity(file)


def contents(runtime: Path) -> dict[str, object]:
    """Every name in a runtime, with its bytes, or where it leads; None for a folder."""
    return {
        str(path.relative_to(runtime)): path.readlink()
        if path.is_symlink()
        else None
        if path.is_dir()
        else path.read_bytes()
        for path in runtime.rglob("*")
    }


def cut(runtime: Path) -> None:
    os.truncate(runtime / "_internal" / "data.bin", 50_000)


def emptied(runtime: Path) -> None:
    os.truncate(runtime / "_internal" / "data.bin", 0)


def longer(runtime: Path) -> None:
    with (runtime / "_internal" / "data.bin").open("ab") as out:
        out.write(b"more")


def overwritten(runtime: Path) -> None:
    path = runtime / "_internal" / "data.bin"
    path.write_bytes(bytes(path.stat().st_size))


def missing(runtime: Path) -> None:
    (runtime / "_internal" / "data.bin").unlink()


def program_missing(runtime: Path) -> None:
    (runtime / "runtime").unlink()


def folder_missing(runtime: Path) -> None:
    shutil.rmtree(runtime / "_internal")


def module_added(runtime: Path) -> None:
    (runtime / "_internal" / "json.py").write_text("raise SystemExit('shadowed')")


def folder_added(runtime: Path) -> None:
    (runtime / "numpy").mkdir()


def link_turned(runtime: Path) -> None:
    (runtime / "_internal" / "link").unlink()
    (runtime / "_internal" / "link").symlink_to("1.text")


def link_instead_of_a_file(runtime: Path) -> None:
    (runtime / "_internal" / "data.bin").rename(runtime.parent.parent / "data.bin")
    (runtime / "_internal" / "data.bin").symlink_to(runtime.parent.parent / "data.bin")


def file_instead_of_a_link(runtime: Path) -> None:
    (runtime / "_internal" / "link").unlink()
    (runtime / "_internal" / "link").write_bytes(b"data.bin")


def folder_instead_of_a_file(runtime: Path) -> None:
    (runtime / "_internal" / "data.bin").unlink()
    (runtime / "_internal" / "data.bin").mkdir()


def link_instead_of_a_folder(runtime: Path) -> None:
    (runtime / "_internal").rename(runtime.parent.parent / "elsewhere")
    (runtime / "_internal").symlink_to(runtime.parent.parent / "elsewhere")


def all_moved_behind_a_link(runtime: Path) -> None:
    runtime.rename(runtime.parent.parent / "elsewhere")
    runtime.symlink_to(runtime.parent.parent / "elsewhere")


def file_instead_of_all(runtime: Path) -> None:
    shutil.rmtree(runtime)
    runtime.write_text("nothing")


def nothing_left(runtime: Path) -> None:
    shutil.rmtree(runtime)
    runtime.mkdir()


DAMAGE = [
    cut,
    emptied,
    longer,
    overwritten,
    missing,
    program_missing,
    folder_missing,
    module_added,
    folder_added,
    link_turned,
    link_instead_of_a_file,
    file_instead_of_a_link,
    folder_instead_of_a_file,
    link_instead_of_a_folder,
    all_moved_behind_a_link,
    file_instead_of_all,
    nothing_left,
]

each_damage = pytest.mark.parametrize("damage", DAMAGE)


@each_damage
def test_a_damaged_runtime_is_unpacked_again(
    damage: Callable[[Path], None], file: Path, cache: Path, runtime: Path
) -> None:
    before = contents(runtime)
    damage(runtime)
    result = run(file, cache=cache)
    assert result.stdout == f"{runtime}/runtime|{file}|\n", result.stderr
    assert not runtime.is_symlink()
    assert contents(runtime) == before
    assert sorted(path.name for path in cache.iterdir()) == [
        runtime.name,
        f"{runtime.name}.lock",
        f"unpacking-{os.geteuid()}.lock",
    ]


@each_damage
def test_a_damaged_runtime_that_cannot_be_unpacked_again_is_not_run(
    damage: Callable[[Path], None], file: Path, cache: Path, runtime: Path
) -> None:
    damage(runtime)
    result = run(file, cache=cache, prefix=read_only(cache))
    assert result.returncode == 1
    assert f"{cache} (the copy there was changed, " in result.stderr
    assert result.stderr.count("\n") == 1


def test_the_refusal_names_the_file_and_what_is_wrong_with_it(file: Path, cache: Path, runtime: Path) -> None:
    cut(runtime)
    result = run(file, cache=cache, prefix=read_only(cache))
    reason = "_internal/data.bin has 50000 bytes and should have 105000"
    assert result.stderr == (
        f"error: toy: the runtime cannot be unpacked into any of {cache} "
        f"(the copy there was changed, {reason}, and cannot be unpacked again: "
        "Read-only file system): set ENCODERFILE_CACHE_DIR to a folder where files can be written and executed\n"
    )


def test_a_full_disk_leaves_a_damaged_runtime_unused(file: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    steps = [
        f'mount -t tmpfs -o size=400k tmpfs "{disk}"',
        f'export ENCODERFILE_CACHE_DIR="{disk}/cache"',
        f'"{file}" >&2',
        f'truncate -s 0 "{disk}"/cache/*/runtime',
        f'{{ head -c 1m /dev/zero >"{disk}/full"; true; }}',
    ]
    result = run(file, prefix=in_namespace(" && ".join(steps)), env={"PATH": os.environ["PATH"]})
    assert result.returncode == 1
    fault = f"runtime has 0 bytes and should have {len(SAYS_WHERE)}"
    assert f"{fault}, and cannot be unpacked again: No space left on device" in result.stderr


def test_a_copy_that_lost_its_times_is_compared_and_kept(file: Path, cache: Path, runtime: Path) -> None:
    for path in (runtime, *runtime.rglob("*")):
        os.utime(path, (1, 1), follow_symlinks=False)
    before = runtime.stat().st_ino
    assert run(file, cache=cache).returncode == 0
    assert runtime.stat().st_ino == before
    assert {path.stat().st_mtime for path in runtime.rglob("*.txt")} == {946684800}, "the next start need not compare"


def test_a_read_only_copy_that_lost_its_times_is_compared_and_run(file: Path, cache: Path, runtime: Path) -> None:
    for path in runtime.rglob("*"):
        os.utime(path, (1, 1), follow_symlinks=False)
    assert run(file, cache=cache, prefix=read_only(cache)).returncode == 0
    overwritten(runtime)
    assert run(file, cache=cache, prefix=read_only(cache)).returncode == 1


def test_who_runs_from_the_damaged_runtime_goes_on(tmp_path: Path) -> None:
    script = '#!/bin/sh\necho started\nread line\nwc -c < "${0%/*}/_internal/data.bin"\n'
    file, cache = make_file(tmp_path, script), tmp_path / "cache"
    with subprocess.Popen(
        [str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"ENCODERFILE_CACHE_DIR": str(cache)}
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"started\n"
        missing(cache / identity(file))
        assert subprocess.run(
            [str(file)], input=b"\n", capture_output=True, check=True, env={"ENCODERFILE_CACHE_DIR": str(cache)}
        ).stdout.split() == [b"started", b"105000"]
        assert running.communicate(b"\n")[0].split() == [b"105000"]


@each_damage
def test_a_damaged_runtime_beside_the_file_is_not_run_and_left_as_it_is(
    damage: Callable[[Path], None], file: Path, cache: Path, runtime: Path, tmp_path: Path
) -> None:
    shutil.copytree(cache, tmp_path / ".encoderfile", symlinks=True)
    beside = tmp_path / ".encoderfile" / runtime.name
    assert run(file, cache=cache).stdout.startswith(f"{beside}/")
    damage(beside)
    assert run(file, cache=cache).stdout.startswith(f"{runtime}/")


@pytest.mark.parametrize("limit", [60_000, 10])
def test_an_unpacking_that_a_signal_ends_leaves_no_runtime(limit: int, tmp_path: Path) -> None:
    """Whoever of the processes that unpack writes the large file is killed by SIGXFSZ."""
    file, cache = make_file(tmp_path, filler=3), tmp_path / "cache"
    result = run(file, cache=cache, prefix=("prlimit", f"--fsize={limit}"))
    assert result.returncode != 0
    assert not (cache / identity(file)).exists()
    assert run(file, cache=cache).returncode == 0
    assert sorted(path.name for path in cache.iterdir() if path.suffix != ".lock") == [identity(file)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_where_no_process_can_be_had_one_does_all() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "files").mkdir()
        file = make_file(folder / "files", filler=3)
        cache = folder / "cache"
        cache.mkdir()
        os.chown(cache, 34567, 34567)
        prefix = ("setpriv", "--reuid=34567", "--regid=34567", "--clear-groups", "prlimit", "--nproc=1")
        assert run(file, cache=cache, prefix=prefix).returncode == 0
