"""Texts per second through a built file, as ratios to onnxruntime alone in the same run.

    python benchmarks/throughput.py FILE MODEL_FOLDER [--texts 256] [--rounds 5] [--all] [--plot FILE.svg]

The clients are closed loops over persistent connections in this process, which shares the cores with the server, so
their work slows it down. The file must be of a `sentence_embedding` or `sequence_classification` model,
MODEL_FOLDER the export it was built from.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from plot import bars
from raw import Raw
from serving import Server, load, requests
from texts import make


@dataclass
class Case:
    """One line of the table: what is sent, and what was measured in each round."""

    transport: str
    clients: int
    size: int
    kind: str
    texts: list[str] = field(default_factory=list)
    of_sorted: list[float] = field(default_factory=list)
    of_plain: list[float] = field(default_factory=list)
    over: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    cores: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)

    def measure(self, server: Server, raw: Raw) -> None:
        """One round: onnxruntime sorted, onnxruntime request by request, ours."""
        groups = [self.texts[i : i + self.size] for i in range(0, len(self.texts), self.size)]
        plain = sum(raw.run(group, [range(len(group))]) for group in groups)
        # A single client's requests cannot be sorted together: the next comes when the last is answered.
        sortable = groups if self.clients == 1 else [self.texts]
        ideal = plain if self.clients * self.size == 1 else sum(raw.run(group) for group in sortable)
        time.sleep(0.1)  # its idle threads go on spinning for a moment
        used = server.cpu_seconds()
        seconds, each = asyncio.run(load(server, self.transport, self.clients, self.requests(server)))
        self.cores.append((server.cpu_seconds() - used) / seconds)
        self.of_sorted.append(ideal / seconds)
        self.of_plain.append(plain / seconds)
        self.over.append(1000 * (seconds - plain) / len(groups))
        self.rates.append(len(self.texts) / seconds)
        self.latencies += each

    def requests(self, server: Server) -> list[bytes]:
        """What the clients send, in order."""
        return requests(server, self.transport, self.texts, self.size)

    def row(self) -> str:
        """The line of the table."""
        cuts = [1000 * each for each in statistics.quantiles(self.latencies, n=100)]
        over = _spread(self.over, 1) if self.clients * self.size == 1 else ""
        cells = [self.transport, self.clients, self.size, self.kind, f"{statistics.median(self.rates):.0f}"]
        cells += [_spread(self.of_sorted, 2), _spread(self.of_plain, 2), over]
        cells += [f"{cuts[at]:.1f}" for at in (49, 94, 98)] + [f"{statistics.median(self.cores):.1f}"]
        return "| " + " | ".join(map(str, cells)) + " |"


COLUMNS = (
    "transport | clients | texts per request | kind | texts/s | of raw, sorted | of raw, as sent | ms over raw "
    "| p50 ms | p95 | p99 | cores"
)
CASES = [
    *(("http", 1, 1, kind) for kind in ("short", "mixed", "long")),
    *(("http", clients, 1, "mixed") for clients in (8, 32, 128)),
    *(("http", 32, 1, kind) for kind in ("short", "long")),
    *(("http", clients, 64, "mixed") for clients in (1, 8)),
    *(
        (transport, *rest)
        for transport in ("grpc", "mcp")
        for rest in ((1, 1, "short"), (32, 1, "mixed"), (1, 64, "mixed"))
    ),
]
"""Transport, clients, texts per request, kind of text."""


def _spread(values: Sequence[float], digits: int) -> str:
    middle, least, most = statistics.median(values), min(values), max(values)
    return f"{middle:.{digits}f} ({least:.{digits}f}-{most:.{digits}f})"


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--texts", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--all", action="store_true", help="every combination: 72 cases")
    parser.add_argument("--only", help="one case of the table, such as 'http 32 1 mixed'")
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    info = json.loads(subprocess.check_output([options.file.resolve(), "info", "--json"]))
    cores = len(os.sched_getaffinity(0))
    raw = Raw(options.model, cores, info["manifest"]["tokenizer"]["max_length"])
    grid = itertools.product(("http", "grpc", "mcp"), (1, 8, 32, 128), (1, 64), ("short", "mixed", "long"))
    if options.only:
        transport, clients, size, kind = options.only.split()
        cases = [Case(transport, int(clients), int(size), kind)]
    else:
        cases = [Case(*each) for each in (grid if options.all else CASES)]
    versions = info["runtime"]["versions"]
    used = {
        name: versions[name]
        for name in versions
        if name in ("python", "onnxruntime", "onnxruntime-gpu", "tokenizers", "orjson", "grpcio")
    }
    print(machine(), ", ".join(f"{name} {version}" for name, version in used.items()))
    print(
        f"{options.file.name}: {info['manifest']['model_type']}, load of the machine {os.getloadavg()[0]:.1f};",
        end=" ",
    )
    print(f"{options.rounds} rounds; medians, minimum and maximum in brackets\n")
    print("|", COLUMNS, "|")
    print("|---" * 12 + "|")
    with Server(options.file.resolve(), info["manifest"]["model_type"]) as server:
        for case in cases:
            count = max(options.texts, 4 * case.size, case.clients * case.size)
            count //= 4 if case.kind == "long" and case.size == 1 else 1
            case.texts = make(case.kind, count)
            raw.run(case.texts[:32])
            asyncio.run(load(server, case.transport, case.clients, case.requests(server)[:32]))
            for _ in range(options.rounds):
                case.measure(server, raw)
            print(case.row(), flush=True)
        if options.only:
            return
        used = server.cpu_seconds()
        time.sleep(10)
        print(f"\nidle afterwards: {10 * (server.cpu_seconds() - used):.1f} % of one core", end="; ")
        print(f"peak memory {server.peak_mb():.0f} MB")
        print("answers to /health while 4096 short texts run in one request:", asyncio.run(_held_up(server)))
    if options.plot:
        rows = [
            (
                f"{case.transport}, {case.clients} x {case.size} {case.kind}",
                statistics.median(case.of_sorted),
                min(case.of_sorted),
                max(case.of_sorted),
            )
            for case in cases
        ]
        options.plot.write_text(bars("texts per second, as a ratio to onnxruntime on sorted batches", rows))
        print(f"plot: {options.plot}")


def machine() -> str:
    """What it was measured on."""
    cpus = Path("/proc/cpuinfo").read_text()
    names = [line.split(":")[1].strip() for line in cpus.splitlines() if line.startswith("model name")]
    cores = len(os.sched_getaffinity(0))
    return f"{names[0] if names else platform.machine()}, {cores} cores, Linux {platform.release()};"


async def _held_up(server: Server) -> str:
    """How long `/health` takes to answer while one huge request runs."""
    huge = requests(server, "http", make("short", 4096), 4096)
    work = asyncio.create_task(load(server, "http", 1, huge))
    waits: list[float] = []
    while not work.done():
        _, each = await load(server, "http", 1, [b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"] * 20)
        waits += each
    cuts = [1000 * each for each in statistics.quantiles(waits, n=100)]
    return f"p50 {cuts[49]:.1f}, p95 {cuts[94]:.1f}, p99 {cuts[98]:.1f}, maximum {1000 * max(waits):.1f} ms"


if __name__ == "__main__":
    main()
