"""How fast a file starts, compared with the same code in an unpacked folder and in plain Python, in one run.

    python benchmarks/startup.py FILE [--rounds N]

Prints a Markdown table: medians and range of N rounds, ratios to plain Python.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

QUIET = ["--http-hostname", "127.0.0.1", "--http-port", "0", "--grpc-hostname", "127.0.0.1", "--grpc-port", "0"]


@dataclass(frozen=True)
class Way:
    """One way to start the same code."""

    name: str
    command: list[str]
    environment: dict[str, str]


def ways(file: Path, cache: Path) -> list[Way]:
    """The file itself, its runtime's folder without the launcher, and this Python."""
    environment = {**os.environ, "ENCODERFILE_CACHE_DIR": str(cache)}
    info = json.loads(subprocess.check_output([file, "info", "--json"], env=environment))
    runtime = Path(info["runtime"]["folder"]) / "runtime"
    inside = {**environment, "ENCODERFILE_EXECUTABLE": str(file)}
    main = f"from encoderfile.runtime.cli import main; from pathlib import Path; main(Path({str(file)!r}))"
    return [
        Way("the file", [str(file)], environment),
        Way("its unpacked folder", [str(runtime)], inside),
        Way("plain Python", [sys.executable, "-c", main], inside),
    ]


def seconds(action: Callable[[], Any]) -> float:
    """Wall-clock seconds of one call."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def run(way: Way, *arguments: str) -> None:
    """One command, to its end."""
    subprocess.run([*way.command, *arguments], env=way.environment, check=True, capture_output=True)


def serve(way: Way, body: bytes) -> dict[str, float]:
    """Seconds until the first answer over HTTP, and peak memory in MB: resident, and private to the process."""
    started = time.perf_counter()
    with subprocess.Popen(
        [*way.command, "serve", *QUIET], env=way.environment, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        url = ""
        for line in process.stderr:
            if "HTTP on " in line:
                url = line.split("HTTP on ")[1].strip()
            if "ready" in line:
                break
        request = urllib.request.Request(f"{url}/predict", body, {"content-type": "application/json"})
        urllib.request.urlopen(request).read()
        elapsed = time.perf_counter() - started
        memory = memory_mb(process.pid)
        process.terminate()
        process.stderr.read()
    return {"first answer": elapsed, **memory}


def memory_mb(pid: int) -> dict[str, float]:
    """Peak resident and current private memory of one process."""
    status = Path(f"/proc/{pid}/status").read_text()
    fields = {line.split(":")[0]: line.split()[1] for line in status.splitlines() if line.endswith("kB")}
    return {"peak": int(fields["VmHWM"]) / 1024, "private": int(fields["RssAnon"]) / 1024}


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    file = options.file.resolve()
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder)
        first = seconds(
            lambda: run(Way("", [str(file)], {**os.environ, "ENCODERFILE_CACHE_DIR": folder}), "--version")
        )
        started = ways(file, cache)
        manifest = json.loads(subprocess.check_output([file, "info", "--json"], env=started[0].environment))
        normalize = manifest["manifest"]["model_type"] == "embedding"
        body = json.dumps({"inputs": ["What a lovely day"], **({"normalize": True} if normalize else {})}).encode()
        results: dict[str, dict[str, list[float]]] = {way.name: {} for way in started}
        for _ in range(options.rounds):
            for way in started:  # alternating, so that a busy moment affects all
                found = results[way.name]
                for command in ("--version", "infer"):
                    arguments = [command] if command == "--version" else [command, "What a lovely day"]
                    found.setdefault(command, []).append(seconds(lambda a=arguments, w=way: run(w, *a)))
                for name, value in serve(way, body).items():
                    found.setdefault(name, []).append(value)
    report(file, first, results, manifest)


def report(file: Path, first: float, results: dict[str, dict[str, list[float]]], info: dict[str, Any]) -> None:
    """Prints the table."""
    print(
        f"{file.name}: {file.stat().st_size / 1e6:.1f} MB, unpacked runtime {info['runtime']['size'] / 1e6:.1f} MB;"
    )
    versions = f"Linux {platform.release()}, Python {platform.python_version()}"
    print(f"{platform.machine()}, {os.cpu_count()} cores, {versions};")
    print(f"the very first start, which unpacks: {first:.2f} s\n")
    columns = list(next(iter(results.values())))
    print("| | " + " | ".join(columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    base = results["plain Python"]
    for name, found in results.items():
        cells = []
        for column in columns:
            middle = statistics.median(found[column])
            unit, digits = ("MB", 0) if column in ("peak", "private") else ("s", 2)
            ratio = middle / statistics.median(base[column])
            spread = f"{min(found[column]):.{digits}f}-{max(found[column]):.{digits}f}"
            cells.append(f"{middle:.{digits}f} {unit} ({spread}; x{ratio:.2f})")
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
