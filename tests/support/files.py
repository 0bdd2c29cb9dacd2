"""Real built files: made by the real command, run the way a user runs them."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import pytest

COMMAND = Path(sys.executable).with_name("encoderfile")
PATIENCE = 120
"""Seconds after which a program that should have answered, or ended, has failed."""
FREEZE_PATIENCE = 15 * 60
"""The same for a command that may have to freeze the runtime first."""

Done = subprocess.CompletedProcess[str]


def builder_environment(**more: str) -> dict[str, str]:
    """This process's environment, without the user's settings but with the same cache: freezing takes a while."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ENCODERFILE_")}
    if "ENCODERFILE_CACHE_DIR" in os.environ:
        kept["ENCODERFILE_CACHE_DIR"] = os.environ["ENCODERFILE_CACHE_DIR"]
    return {**kept, **more}


def encoderfile(*arguments: str | Path, cwd: Path | None = None, prefix: Sequence[str] = ()) -> Done:
    """The `encoderfile` command, in `cwd`; `prefix` is a command that runs it."""
    command = [*prefix, str(COMMAND), *map(str, arguments)]
    return subprocess.run(
        command,
        cwd=cwd,
        env=builder_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=FREEZE_PATIENCE,
    )


@dataclass(frozen=True)
class BuiltFile:
    """One executable, run with nothing in its environment but what is said here."""

    path: Path
    cache: Path
    """Where its runtime is unpacked; shared by all tests, so that it is unpacked once."""

    def environment(self, **more: str) -> dict[str, str]:
        """No home, no CI, no settings."""
        return {"PATH": os.defpath, "ENCODERFILE_CACHE_DIR": str(self.cache), **more}

    def run(
        self,
        *arguments: str | Path,
        stdin: str | bytes | None = None,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        prefix: Sequence[str] = (),
    ) -> Done:
        """Runs a command of the file to its end. Output is text; `env` is added to the environment."""
        done = subprocess.run(
            [*prefix, str(self.path), *map(str, arguments)],
            input=stdin.encode() if isinstance(stdin, str) else stdin or b"",
            cwd=cwd,
            env=self.environment(**(env or {})),
            capture_output=True,
            check=False,
            timeout=PATIENCE,
        )
        return Done(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    def serve(
        self,
        *arguments: str | Path,
        command: str = "serve",
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        prefix: Sequence[str] = (),
    ) -> Server:
        """A server on ports of 127.0.0.1 that the kernel chose. Use as a context manager."""
        ports = tuple(
            word
            for way in ("http", "grpc")
            if f"--disable-{way}" not in arguments
            for word in (f"--{way}-port", "0", f"--{way}-hostname", "127.0.0.1")
        )
        if command == "mcp":
            ports = ("--transport", "http", "--port", "0")
        words = [*prefix, str(self.path), command, *ports, *map(str, arguments)]
        return Server(words, self.environment(**(env or {})), cwd)

    def at(self, path: Path) -> BuiltFile:
        """The same settings for a file elsewhere."""
        return BuiltFile(path, self.cache)


class Server:
    """A started server: ready when the block begins, ended when it ends."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], cwd: Path | None = None) -> None:
        self._command = command
        self._env = dict(env)
        self._cwd = cwd
        self._known = threading.Event()
        self.log: list[str] = []
        """What it wrote to stderr, line by line."""

    def __enter__(self) -> Server:
        self.process = subprocess.Popen(
            self._command,
            env=self._env,
            cwd=self._cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        known = self._known.wait(PATIENCE)
        if not known or not self._is_ready():
            self.__exit__(None, None, None)
            raise AssertionError(f"the server was not ready: {self.text}")
        return self

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(line.rstrip("\n"))
            if self._is_ready():
                self._known.set()
        self._known.set()

    def _is_ready(self) -> bool:
        return any(re.search(r'(\bready|"ready"\})$', line) for line in self.log)

    @property
    def text(self) -> str:
        return "\n".join(self.log)

    def _found(self, pattern: str) -> str:
        found = re.search(pattern, self.text)
        assert found is not None, f"no {pattern} in {self.text}"
        return found[1]

    @property
    def url(self) -> str:
        """Where HTTP answers."""
        return self._found(r"HTTP on (https?://[^\s\"]+)")

    @property
    def grpc(self) -> str:
        """Where gRPC answers, as `host:port`."""
        return self._found(r"gRPC on ([^\s\"]+)")

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Sends a signal and returns the exit code. Fails when anything was written to stdout."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """The exit code, once the server ends by itself."""
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        assert self.process.stdout is not None
        assert self.process.stdout.read() == "", "stdout belongs to results"
        return code

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self.process:
            try:
                if self.process.poll() is None:
                    self.process.terminate()
                    self.process.wait(PATIENCE)
            finally:
                self.process.kill()
                self._reader.join(PATIENCE)


def sentence(done: Done, *, after_steps: bool = False) -> str:
    """The one sentence with which a command must fail: exit code 1, one `error:` line, nothing on stdout.

    `after_steps`: lines that say what was done before may come first, as the builder's do.
    """
    assert (done.returncode, done.stdout) == (1, ""), done
    *steps, last = done.stderr.splitlines()
    assert after_steps or not steps, done.stderr
    assert last.startswith("error: "), done.stderr
    assert "Traceback" not in done.stderr
    return last.removeprefix("error: ")


def tree(folder: Path) -> dict[str, tuple[int, int]]:
    """Everything below a folder, with size and time of change: equal before and after, if nothing was written."""
    found = {}
    for path in sorted(folder.rglob("*")):
        facts = path.lstat()
        found[str(path.relative_to(folder))] = (facts.st_size, facts.st_mtime_ns)
    return found


def namespace(*kinds: str, prepare: str = "true") -> list[str]:
    """A command prefix that runs the rest in namespaces of its own, after `prepare`; skips where none are allowed."""
    flags = ["--user", "--map-root-user", *(f"--{kind}" for kind in kinds)]
    prefix = ["unshare", *flags, "sh", "-c", f'{prepare} && exec "$@"', "sh"]
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed")
    tried = subprocess.run([*prefix, "true"], capture_output=True, text=True, check=False, timeout=PATIENCE)
    if tried.returncode != 0:
        pytest.skip(f"this machine allows no such namespace: {tried.stderr.strip()}")
    return prefix
