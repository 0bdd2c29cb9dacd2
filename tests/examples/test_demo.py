"""`make demo`: what it shows, and how it fails."""

import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from support.example_files import PATIENCE, environment
from support.models import EXAMPLES, ROOT

pytestmark = pytest.mark.file

DEMO = [sys.executable, str(EXAMPLES / "demo.py")]
FREEZE_PATIENCE = 15 * 60


def run(folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        DEMO, cwd=folder, env=environment(**env), capture_output=True, text=True, check=False, timeout=FREEZE_PATIENCE
    )


def test_the_demo_gives_one_answer_over_every_protocol_and_leaves_the_file(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.returncode == 0, done.stderr
    rows = re.findall(r"^(\S.*?)  (POSITIVE|NEGATIVE) +(\S+) +(\S+) +(\S+) +(\S+)$", done.stdout, re.MULTILINE)
    assert [row[1] for row in rows] == ["POSITIVE", "NEGATIVE", "POSITIVE", "NEGATIVE"]
    assert all(len(set(row[2:])) == 1 for row in rows)
    assert "stopped by SIGTERM with exit code 0" in done.stdout
    assert done.stdout.splitlines()[-1] == "The file stays. Serve it:  ./sentiment.encoderfile serve"
    assert [path.name for path in tmp_path.iterdir()] == ["sentiment.encoderfile"]


def test_a_demo_whose_build_fails_says_so_in_one_sentence(tmp_path: Path) -> None:
    nowhere = tmp_path / "a file"
    nowhere.touch()
    done = run(tmp_path, ENCODERFILE_CACHE_DIR=str(nowhere))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "demo: the build failed, the line above says why"
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "sentiment.encoderfile").exists()


def test_a_demo_whose_server_does_not_start_says_why(tmp_path: Path) -> None:
    done = run(tmp_path, ENCODERFILE_THREADS="many")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("demo: the server ended before it was ready: ")
    assert "many" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_a_demo_that_is_stopped_takes_its_server_with_it(tmp_path: Path) -> None:
    with subprocess.Popen(
        DEMO, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as demo:
        assert demo.stdout is not None
        ready = next(line for line in demo.stdout if line.startswith("ready after"))
        demo.send_signal(signal.SIGTERM)
        demo.communicate(timeout=PATIENCE)
    assert demo.returncode != 0
    port = re.search(r"http://127\.0\.0\.1:(\d+)", ready)
    assert port is not None
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(port[1])))


def test_make_demo_runs_this_script() -> None:
    recipe = re.search(r"^demo:.*\n\t(.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert recipe is not None
    assert recipe[1] == "$(BIN)/python examples/demo.py"
