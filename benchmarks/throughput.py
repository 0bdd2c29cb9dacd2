"""Requests a second through a built file, as ratios of onnxruntime alone in the same run.

    python benchmarks/throughput.py FILE MODEL_FOLDER [--texts 600] [--rounds 3]

The clients are closed loops over HTTP keep-alive connections in this process, which shares the cores with the
server: what they cost counts against it. The file must be of a `sentence_embedding` or
`sequence_classification` model, MODEL_FOLDER the export it was built from.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from raw import Raw
from texts import make

CASES = [
    (1, 1, "short"),
    (1, 1, "long"),
    (8, 1, "mixed"),
    (32, 1, "mixed"),
    (128, 1, "mixed"),
    (1, 64, "mixed"),
    (8, 64, "mixed"),
]
"""Clients, texts a request, kind of text."""


class Server:
    """The built file, serving HTTP on a port the kernel chose."""

    def __init__(self, file: Path) -> None:
        command = [
            file,
            "serve",
            "--http-hostname",
            "127.0.0.1",
            "--http-port",
            "0",
            "--disable-grpc",
            "--disable-mcp",
        ]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if "HTTP on " in line:
                self.port = int(line.rsplit(":", 1)[1])
            if "ready" in line:
                break

    def stop(self) -> None:
        """Ends it."""
        self.process.terminate()
        self.process.wait()

    def cpu_seconds(self) -> float:
        """Processor time used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_mb(self) -> float:
        """Peak resident memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024


def requests(texts: Sequence[str], size: int) -> list[bytes]:
    """Whole HTTP requests of `size` texts each."""
    bodies = [json.dumps({"inputs": list(texts[i : i + size])}).encode() for i in range(0, len(texts), size)]
    head = "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"
    return [head.format(len(body)).encode() + body for body in bodies]


async def client(port: int, queue: list[bytes], latencies: list[float]) -> None:
    """Sends requests from the shared queue until it is empty."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 26)
    while queue:
        request = queue.pop()
        started = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(head.decode())
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        latencies.append(time.perf_counter() - started)
    writer.close()


async def load(port: int, clients: int, queue: list[bytes]) -> tuple[float, list[float]]:
    """Seconds for the whole queue with so many clients, and each request's latency."""
    latencies: list[float] = []
    queue = queue[::-1]
    started = time.perf_counter()
    await asyncio.gather(*(client(port, queue, latencies) for _ in range(clients)))
    return time.perf_counter() - started, latencies


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--texts", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    info = json.loads(subprocess.check_output([options.file.resolve(), "info", "--json"]))
    raw = Raw(options.model, cores, info["manifest"]["tokenizer"]["max_length"])
    server = Server(options.file.resolve())
    print(platform.machine(), f"{cores} cores", info["runtime"]["versions"], end="\n\n")
    print("| clients | texts a request | kind | texts/s | of raw, sorted | of raw, as sent | p50 | p95 | p99 ms |")
    print("|---" * 9 + "|")
    try:
        for clients, size, kind in CASES:
            texts = make(kind, options.texts if kind != "long" else options.texts // 4)
            as_sent = [range(i, min(i + size, len(texts))) for i in range(0, len(texts), size)]
            ideal, plain, ours, latencies = [], [], [], []
            raw.run(texts[:50])
            asyncio.run(load(server.port, clients, requests(texts[:100], size)))
            for _ in range(options.rounds):
                ideal.append(raw.run(texts) if clients * size > 1 else raw.run(texts, as_sent))
                plain.append(raw.run(texts, as_sent))
                seconds, each = asyncio.run(load(server.port, clients, requests(texts, size)))
                ours.append(seconds)
                latencies += each
            best = statistics.median(ours)
            of_raw = statistics.median(i / o for i, o in zip(ideal, ours, strict=True))
            of_plain = statistics.median(p / o for p, o in zip(plain, ours, strict=True))
            cuts = [1000 * each for each in statistics.quantiles(latencies, n=100)]
            print(
                f"| {clients} | {size} | {kind} | {len(texts) / best:.0f} | {of_raw:.2f} | {of_plain:.2f} "
                f"| {cuts[49]:.1f} | {cuts[94]:.1f} | {cuts[98]:.1f} |",
                flush=True,
            )
        print(f"\npeak memory {server.peak_mb():.0f} MB, processor time {server.cpu_seconds():.1f} s")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
