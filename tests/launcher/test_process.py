"""The launcher becomes the runtime: arguments, exit codes, signals, names; and files that are not whole."""

import os
import pty
import signal
import subprocess
from pathlib import Path

import pytest

from support.launched import make_file, run


def test_a_terminal_shows_that_the_first_start_unpacks(tmp_path: Path) -> None:
    file, environment = make_file(tmp_path), {"ENCODERFILE_CACHE_DIR": str(tmp_path / "cache")}
    said = []
    for _ in range(2):
        ours, theirs = pty.openpty()
        subprocess.run([str(file)], stdout=subprocess.DEVNULL, stderr=theirs, env=environment, check=True)
        os.write(theirs, b"end")
        said.append(b"")
        while not said[-1].endswith(b"end"):
            said[-1] += os.read(ours, 1000)
        os.close(ours)
        os.close(theirs)
    assert said[0].startswith(b"\rtoy: unpacking the runtime (first start only): 0%")
    assert said[0].endswith(b"\r\033[Kend")
    assert said[1] == b"end"
    assert run(file, cache=tmp_path / "another").stderr == ""


def test_the_exit_code_is_the_runtimes(tmp_path: Path) -> None:
    assert run(make_file(tmp_path, "#!/bin/sh\nexit 37\n"), cache=tmp_path / "cache").returncode == 37


def test_the_process_stays_the_same_so_signals_arrive_and_nothing_outlives_it(tmp_path: Path) -> None:
    file = make_file(tmp_path, "#!/bin/sh\necho $$\nread line\n")
    environment = {"ENCODERFILE_CACHE_DIR": str(tmp_path / "cache")}
    with subprocess.Popen([str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert int(process.stdout.readline()) == process.pid
        process.send_signal(signal.SIGTERM)
        assert process.wait() == -signal.SIGTERM


def test_arguments_pass_as_they_are(tmp_path: Path) -> None:
    file = make_file(tmp_path, '#!/bin/sh\nfor each in "$@"; do echo "[$each]"; done\n')
    result = run(file, "", "a b", "ü😀", "--flag=1", cache=tmp_path / "cache")
    assert result.stdout == "[]\n[a b]\n[ü😀]\n[--flag=1]\n"


@pytest.mark.parametrize("name", ["with space", "größe-東京", "-dash"])
def test_any_file_name_will_do(name: str, tmp_path: Path) -> None:
    file = make_file(tmp_path).rename(tmp_path / name)
    assert run(file, cache=tmp_path / "cache").stdout.split("|")[1] == str(file)


def test_a_symlink_leads_to_the_real_file(tmp_path: Path) -> None:
    file = make_file(tmp_path)
    link = tmp_path / "elsewhere"
    link.symlink_to(file)
    assert run(link, cache=tmp_path / "cache").stdout.split("|")[1] == str(file)


@pytest.mark.parametrize("missing", [1, 50, 88, 4096, 9000])
def test_a_truncated_file_says_so(missing: int, tmp_path: Path) -> None:
    file = make_file(tmp_path)
    os.truncate(file, file.stat().st_size - missing)
    result = run(file, cache=tmp_path / "cache")
    assert result.returncode == 1
    assert result.stderr == "error: toy: the file is truncated or damaged, its end is missing: copy it again\n"


def test_bytes_behind_the_end_are_noticed(tmp_path: Path) -> None:
    file = make_file(tmp_path)
    with file.open("ab") as out:
        out.write(b"more")
    assert run(file, cache=tmp_path / "cache").returncode == 1
