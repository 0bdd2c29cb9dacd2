"""A server under attack: started, watched by a witness, ended, and measured."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

DRAIN_SECONDS = 2.0
START_SECONDS = 120.0
_WITNESS = Path(__file__).with_name("witness.py")


@dataclass(frozen=True)
class Target:
    """Where the server answers, on 127.0.0.1."""

    http: int
    grpc: int
    pid: int


def measure(
    file: Path, options: Sequence[str], act: Callable[[Target], str | None], seconds: float, scratch: Path
) -> tuple[dict[str, float], list[str]]:
    """Runs one attack; gives the numbers and what went wrong beside them."""
    log = scratch / "log.txt"
    faults: list[str] = []
    with log.open("wb") as out:
        process = _start(file, options, out)
        try:
            target = _ready(process, log)
            witness = subprocess.Popen(
                [sys.executable, str(_WITNESS), str(target.http)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            assert witness.stdout is not None
            witness.stdout.readline()  # its first request was answered
            attacker, told = _attacker(act, target)
            attacker.join(seconds)
            if not attacker.is_alive() and told.poll():
                fault = told.recv()
                faults += [fault] if fault else []
            seen = json.loads(witness.communicate("stop\n", timeout=START_SECONDS)[0])
            peak = _peak_mb(process.pid) if process.poll() is None else 0.0
            if process.poll() is not None:
                faults.append(f"the server ended with {process.returncode}")
            ended = _end(process)
            attacker.kill()
            attacker.join()
        finally:
            process.kill()
            process.wait()
    measured = {
        "peak MB": peak,
        "p99 s": seen["p99"],
        "failed": float(seen["failed"]),
        "log KB": log.stat().st_size / 1000,
        "exit s": ended,
    }
    if b"Traceback" in log.read_bytes():
        faults.append("a traceback in the log")
    return measured, faults


def _start(file: Path, options: Sequence[str], out: object) -> subprocess.Popen[bytes]:
    local = ["--http-hostname", "127.0.0.1", "--http-port", "0", "--grpc-hostname", "127.0.0.1", "--grpc-port", "0"]
    command = [str(file), "serve", *local, "--drain-seconds", f"{DRAIN_SECONDS:g}", *options]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=out)  # type: ignore[call-overload]


def _ready(process: subprocess.Popen[bytes], log: Path) -> Target:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        text = log.read_text(errors="replace")
        if re.search(r"\bready\b", text):
            ports = [re.search(rf"{name} on \S*:(\d+)", text) for name in ("HTTP", "gRPC")]
            assert all(ports), text
            return Target(*(int(found[1]) for found in ports if found), process.pid)
        time.sleep(0.02)
    raise SystemExit(f"the server did not start: {log.read_text(errors='replace')}")


def _attacker(
    act: Callable[[Target], str | None], target: Target
) -> tuple[multiprocessing.Process, Connection[str | None, str | None]]:
    told, teller = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=_act, args=(act, target, teller), daemon=True)
    process.start()
    return process, told


def _act(act: Callable[[Target], str | None], target: Target, teller: Connection[str | None, str | None]) -> None:
    os.nice(5)  # on two cores the attacker's own work would else be what the witness waits for
    teller.send(act(target))


def _peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def _end(process: subprocess.Popen[bytes]) -> float:
    started = time.monotonic()
    process.terminate()
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        return 60.0
    return time.monotonic() - started
