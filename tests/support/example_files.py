"""Built files for the examples' tests: made by the real command, served on ports the kernel chose."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Timer

from support.files import builder_environment
from support.models import ROOT

BIN = Path(sys.executable).parent
PATIENCE = 120
"""Seconds after which a program that should have answered, or ended, has failed."""


def build(model: Path, name: str, folder: Path) -> Path:
    """`encoderfile build` of `model`; the frozen runtime comes from the user's cache."""
    command = [BIN / "encoderfile", "build", model, "--name", name]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=15 * 60)
    return folder / f"{name}.encoderfile"


def environment(**more: str) -> dict[str, str]:
    """That of the builder, with our commands first."""
    local = "localhost,127.0.0.1"
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    return {**builder_environment(), "PATH": path, "no_proxy": local, "NO_PROXY": local, **more}


@dataclass(frozen=True)
class Addresses:
    """Where a started file answers, and the log it wrote until it was ready."""

    log: str
    http: int | None
    grpc: int | None
    metrics: int | None = None

    @property
    def url(self) -> str:
        return f"http://localhost:{self.http}"

    @property
    def target(self) -> str:
        return f"localhost:{self.grpc}"


@contextmanager
def served(command: Sequence[str | Path], cwd: Path, env: Mapping[str, str] | None = None) -> Iterator[Addresses]:
    """Starts a server, waits until its log says ready, and stops it with SIGTERM, which must end it with 0."""
    with subprocess.Popen(
        [*command], cwd=cwd, env=dict(env or environment()), stderr=subprocess.PIPE, text=True
    ) as server:
        watchdog = Timer(PATIENCE, server.kill)
        watchdog.start()
        try:
            yield _addresses(server)
        finally:
            watchdog.cancel()
            server.terminate()
            try:
                server.communicate(timeout=PATIENCE)
            finally:
                server.kill()
    assert server.returncode == 0


def _addresses(server: subprocess.Popen[str]) -> Addresses:
    assert server.stderr is not None
    log = ""
    for line in server.stderr:
        log += line
        if re.search(r'(\bready|"ready"\})$', line):
            patterns = (r"HTTP on https?://\S+:(\d+)", r"gRPC on \S+:(\d+)", r"Metrics on https?://\S+:(\d+)")
            return Addresses(log, *(_port(pattern, log) for pattern in patterns))
    raise AssertionError(f"the server ended before it was ready: {log}")


def _port(pattern: str, log: str) -> int | None:
    found = re.search(pattern, log)
    return None if found is None else int(found[1])


def checkout(folder: Path) -> Path:
    """A folder that looks like the repository to someone who reads its pages: examples, proto files and .venv."""
    leave_out = shutil.ignore_patterns("node_modules", "encoderfilepb", "*_pb2*.py", "__pycache__")
    shutil.copytree(ROOT / "examples", folder / "examples", ignore=leave_out)
    shutil.copytree(ROOT / "proto", folder / "proto")
    (folder / ".venv").symlink_to(BIN.parent)
    return folder
