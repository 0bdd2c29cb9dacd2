"""The file brings its loader and its C library: the machine's are never opened, and nothing else changes."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from support.files import PATIENCE, BuiltFile

TEXT = "What a wonderful film!"


def libraries(pid: int) -> set[Path]:
    """The libraries and programs that a process has mapped."""
    lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
    found = {Path(line.split(maxsplit=5)[5]) for line in lines if len(line.split(maxsplit=5)) == 6}
    return {path for path in found if ".so" in path.name or path.name == "runtime"}


def test_a_server_has_no_library_of_the_machine_in_memory(sentiment: BuiltFile) -> None:
    with sentiment.serve(env={"LANG": "de_DE.ISO-8859-1", "LD_LIBRARY_PATH": "/usr/lib/x86_64-linux-gnu"}) as server:
        found = libraries(server.process.pid)
    assert {path.name for path in found} >= {"libc.so.6", "libm.so.6", "runtime"}
    assert not {path for path in found if not path.is_relative_to(sentiment.cache)}


def test_a_start_opens_no_library_of_the_machine(sentiment: BuiltFile, tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    log = tmp_path / "calls"
    trace = ["strace", "-f", "-qq", "-e", "trace=open,openat,openat2", "-o", str(log)]
    done = sentiment.run("infer", TEXT, prefix=trace, env={"LANG": "en_US.UTF-8", "HOME": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    opened = re.findall(r'open\w*\([^"]*"([^"]+)"[^=]*\) = \d', log.read_text())
    assert any(path.endswith("libc/libc.so.6") for path in opened)
    foreign = [path for path in opened if ".so" in path or "locale" in path or "gconv" in path]
    assert [path for path in foreign if not path.startswith(str(sentiment.cache))] == []


def test_a_c_library_that_the_environment_names_is_not_used(sentiment: BuiltFile, tmp_path: Path) -> None:
    for name in ("libc.so.6", "libm.so.6", "libz.so.1"):
        (tmp_path / name).write_bytes(b"not a library")
    done = sentiment.run("infer", TEXT, env={"LD_LIBRARY_PATH": str(tmp_path)})
    assert done.stdout == sentiment.run("infer", TEXT).stdout


def test_the_process_is_called_what_the_user_called(sentiment: BuiltFile) -> None:
    with sentiment.serve() as server:
        process = Path(f"/proc/{server.process.pid}")
        command = (process / "cmdline").read_bytes().split(b"\0")
        assert command[:2] == [os.fsencode(sentiment.path), b"serve"]
        assert (process / "comm").read_text().strip() == sentiment.path.name[:15]
        assert (process / "exe").readlink().name == "runtime"
        opened = {number.readlink().name for number in (process / "fd").iterdir()}
    assert not {name for name in opened if name.startswith("ld-")}


@pytest.mark.parametrize(
    "prepare",
    ["exec 197</dev/null", "ulimit -n 128", "ulimit -Sn 128"],
    ids=["the number is taken", "the limit is lower", "the soft limit is lower"],
)
def test_it_starts_where_the_loader_cannot_have_its_usual_number(prepare: str, sentiment: BuiltFile) -> None:
    prefix = ["bash", "-c", f'{prepare}; exec "$@"', "bash"]
    done = sentiment.run("infer", TEXT, prefix=prefix)
    assert done.returncode == 0, done.stderr
    assert done.stdout == sentiment.run("infer", TEXT).stdout
    assert "C library" in sentiment.run("info", prefix=prefix).stdout


def test_what_the_user_loads_into_each_program_is_still_tried(sentiment: BuiltFile, tmp_path: Path) -> None:
    """Where the machine has glibc: on others it could not be loaded, and is left out."""
    done = sentiment.run("infer", TEXT, env={"LD_PRELOAD": str(tmp_path / "missing.so")})
    assert done.returncode == 0
    assert "missing.so" in done.stderr


def test_info_names_the_c_library(sentiment: BuiltFile) -> None:
    said = sentiment.run("info").stdout
    assert re.search(r"^C library +its own, glibc \d+\.\d+$", said, re.MULTILINE)
    assert re.search(r"^needs +Linux \w+$", said, re.MULTILINE)


def test_the_c_library_is_in_the_list_of_parts_with_its_licence(sentiment: BuiltFile) -> None:
    listed = sentiment.run("info", "--sbom").stdout
    assert '"name": "glibc"' in listed
    assert "LGPL-2.1-or-later" in listed


def test_a_shell_that_the_machine_has_still_works_beside_it(sentiment: BuiltFile) -> None:
    """The variables of the start are not handed to what runs beside it."""
    done = subprocess.run(
        ["sh", "-c", f"{sentiment.path} infer '{TEXT}' | cat"],
        env=sentiment.environment(LD_LIBRARY_PATH="/opt/nothing"),
        capture_output=True,
        check=False,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stderr) == (0, b"")
