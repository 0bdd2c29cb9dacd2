"""Hosts that grant too little: threads, memory, files."""

from __future__ import annotations

import http.client
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from attacks.attack import Files, OnFile

_PATIENCE = 30
_NOBODY = 61234
"""A user id without processes, because a limit on threads counts all of a user's."""


def _limited(limit: str, value: int, files: Files, *arguments: str) -> subprocess.Popen[bytes]:
    """The file with one soft and hard limit lowered, as a user of its own."""
    cache = Path(tempfile.mkdtemp(dir=files.folder))
    os.chown(cache, _NOBODY, _NOBODY)
    user = ["setpriv", "--reuid", str(_NOBODY), "--regid", str(_NOBODY), "--clear-groups"]
    command = [*user, "prlimit", f"--{limit}={value}", str(files.embed), *arguments]
    return subprocess.Popen(
        command,
        env={"PATH": os.defpath, "ENCODERFILE_CACHE_DIR": str(cache)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _infer(limit: str, values: Sequence[int]) -> OnFile:
    """`infer` answers, or ends with a sentence; it never hangs."""

    def act(files: Files) -> Sequence[str]:
        faults = []
        for value in values:
            process = _limited(limit, value, files, "infer", "hello")
            try:
                _, log = process.communicate(timeout=_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                faults.append(f"{value}: hangs")
                continue
            if process.returncode not in (0, 1):
                faults.append(f"{value}: exit code {process.returncode}")
            elif process.returncode == 1 and b"error: " not in log:
                faults.append(f"{value}: no sentence")
            if b"Traceback" in log:
                faults.append(f"{value}: a traceback")
        return faults

    return OnFile(f"infer with a limit on {limit}", act)


def _serve(limit: str, values: Sequence[int]) -> OnFile:
    """A server that says ready answers, or says that it is not healthy; else it ends with a sentence."""

    def act(files: Files) -> Sequence[str]:
        faults = []
        for value in values:
            ports = ["--http-hostname", "127.0.0.1", "--http-port", "0", "--disable-grpc", "--drain-seconds", "2"]
            process = _limited(limit, value, files, "serve", *ports)
            try:
                fault = _try(process)
            finally:
                process.kill()
                process.communicate()
            faults += [f"{value}: {fault}"] if fault else []
        return faults

    return OnFile(f"serve with a limit on {limit}", act)


def _try(process: subprocess.Popen[bytes]) -> str | None:
    assert process.stderr is not None
    os.set_blocking(process.stderr.fileno(), False)
    log = b""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and process.poll() is None and not re.search(rb"\bready\b", log):
        log += process.stderr.read() or b""
        time.sleep(0.02)
    if process.poll() is not None:
        log += process.stderr.read() or b""
        return None if process.returncode == 1 and b"error: " in log and b"Traceback" not in log else repr(log[-200:])
    found = re.search(rb"HTTP on \S*:(\d+)", log)
    if found is None:
        return f"neither ready nor ended: {log[-200:]!r}"
    for _ in range(3):
        health, answer = (
            _ask(int(found[1]), *what) for what in (("GET", "/health", ""), ("POST", "/predict", _BODY))
        )
        if isinstance(answer, str) and health == 200:
            return f"says it is healthy and {answer}"
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        return "still alive 5 s after SIGTERM"
    return None


_BODY = '{"inputs": ["%s"]}' % ("a text that is long enough for a thread of its own " * 20)


def _ask(port: int, method: str, path: str, body: str) -> int | str:
    """The status, or what became of the request."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        client.request(method, path, body or None, {"Content-Type": "application/json"})
        return client.getresponse().status
    except TimeoutError:
        return "hangs"
    except (OSError, http.client.HTTPException) as error:
        return f"a request ends in {type(error).__name__}"
    finally:
        client.close()


_THREADS = range(1, 24, 2)
_BYTES = [megabytes << 20 for megabytes in range(200, 1800, 200)]
_DESCRIPTORS = range(6, 40, 4)

ATTACKS = [
    _infer("nproc", _THREADS),
    _infer("as", _BYTES),
    _infer("nofile", _DESCRIPTORS),
    _serve("nproc", _THREADS),
    _serve("as", _BYTES),
    _serve("nofile", _DESCRIPTORS),
]
