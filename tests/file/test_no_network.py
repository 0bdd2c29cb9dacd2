"""A built file opens no connection: it works where there is no network, and the kernel saw none."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.files import PATIENCE, BuiltFile, namespace
from support.models import ROOT

SCRIPT = ROOT / "tests" / "support" / "without_network.py"


@pytest.mark.parametrize(
    "command", [["infer", "What a wonderful film!"], ["info"], ["mcp"]], ids=lambda words: words[0]
)
def test_a_command_needs_no_network(command: list[str], sentiment: BuiltFile) -> None:
    alone = sentiment.run(*command, prefix=namespace("net"))
    assert alone.returncode == 0
    assert alone.stdout == sentiment.run(*command).stdout


def test_a_server_answers_where_there_is_nothing_but_itself(sentiment: BuiltFile) -> None:
    command = [*namespace("net"), sys.executable, SCRIPT, sentiment.path, sentiment.cache]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["interfaces"] == ["lo"]
    assert report["answers"] == dict.fromkeys(("http", "grpc", "mcp"), "POSITIVE")
    assert report["exit"] == 0


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """Where strace writes; skips where it cannot."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    out = tmp_path / "trace"
    tried = subprocess.run(["strace", "-D", "-f", "-o", out, "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0 or not out.exists():
        pytest.skip(f"this machine allows no tracing: {tried.stderr.strip()}")
    return out


SENDING = ("connect", "sendto", "sendmsg", "sendmmsg")
OPENING = ("open", "openat", "creat")
CHANGING = ("mkdir", "mkdirat", "rename", "renameat", "renameat2", "unlink", "unlinkat", "link", "linkat")
LINKING = ("symlink", "symlinkat")
CALL = re.compile(r"^\d+ +(?P<name>\w+)\((?P<rest>.*)")


def strace(out: Path) -> list[str]:
    """A command prefix that writes down every call that could leave the machine or leave something on it."""
    calls = ",".join((*SENDING, *OPENING, *CHANGING, *LINKING))
    return ["strace", "-D", "-f", "-e", f"trace={calls}", "-o", str(out)]


def outward(out: Path) -> list[str]:
    """Calls that name an address of the network, whether they went well or not."""
    found = [CALL.match(line) for line in out.read_text(errors="replace").splitlines()]
    return [call[0] for call in found if call and call["name"] in SENDING and "AF_INET" in call["rest"]]


def written(out: Path, *allowed: Path) -> list[str]:
    """Calls that changed something outside the `allowed` places."""
    found = []
    for line in out.read_text(errors="replace").splitlines():
        call = CALL.match(line)
        path = call and re.search(r'"([^"]*)"', call["rest"])
        if call is None or path is None or call["name"] in SENDING or " = -1 " in line:
            continue
        reading = call["name"] in OPENING and not re.search("O_WRONLY|O_RDWR|O_CREAT", call["rest"])
        if not reading and not any(Path(path[1]).is_relative_to(place) for place in allowed):
            found.append(line)
    return found


def test_the_kernel_saw_no_connection_and_no_write_of_a_command(sentiment: BuiltFile, trace: Path) -> None:
    assert sentiment.run("infer", "hello", prefix=strace(trace)).returncode == 0
    assert str(sentiment.path) in trace.read_text(errors="replace"), "the trace shows the file being read"
    assert outward(trace) == []
    assert written(trace, Path("/dev/null"), sentiment.cache) == []


def test_the_kernel_saw_no_connection_and_no_write_of_a_server(
    sentiment: BuiltFile, trace: Path, clients: Any
) -> None:
    with sentiment.serve(prefix=strace(trace)) as server:
        for way in ("http", "grpc", "mcp"):
            assert clients(way, server, "sentiment").predict(["good"]).results
        assert server.end() == 0
    assert str(sentiment.path) in trace.read_text(errors="replace"), "the trace shows the file being read"
    assert outward(trace) == []
    assert written(trace, Path("/dev/null"), sentiment.cache) == []


def test_the_trace_would_show_a_connection_and_a_write(trace: Path, tmp_path: Path) -> None:
    script = (
        "import socket, sys\n"
        "s = socket.socket(); s.setblocking(False); s.connect_ex(('127.0.0.1', 9))\n"
        "open(sys.argv[1], 'w').close()\n"
    )
    command = [*strace(trace), sys.executable, "-c", script, tmp_path / "new"]
    # Its output ends when strace has written all.
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)
    assert len(outward(trace)) == 1
    assert [line for line in written(trace) if str(tmp_path / "new") in line]
    assert not [line for line in written(trace, tmp_path) if str(tmp_path / "new") in line]
