"""The speed and the cost of several instances, compared with one instance of the same built file in one process.

    python benchmarks/instances.py FILE [--rounds 7] [--texts 128] [--only '32 1 mixed']

Clients are closed loops that call the service directly, without HTTP. Every round measures one instance and several,
one after the other, on the same texts; the table has ratios, medians with minimum and maximum. On a busy machine
ratios of wall-clock time say little: look at the processor time, and at how many threads had work: those that ran or
waited for a core.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from texts import make

from encoderfile.model.device import Device
from encoderfile.model.model import Model
from encoderfile.runtime.loading import load, make_service
from encoderfile.service.service import Service
from encoderfile.settings import ModelSettings
from encoderfile.types import PredictRequest

CASES = [
    (1, 1, "mixed"),
    (8, 1, "mixed"),
    (32, 1, "mixed"),
    (128, 1, "mixed"),
    (32, 1, "short"),
    (32, 1, "equal"),
    (1, 64, "mixed"),
]
"""Clients, texts per request, kind of text."""


@dataclass
class Figures:
    """One case: several instances against one, one figure per round."""

    rates: list[float] = field(default_factory=list)
    medians: list[float] = field(default_factory=list)
    tails: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    wanted: list[tuple[float, float]] = field(default_factory=list)
    """Threads that ran or waited for a core, on average: with one instance, and with several."""


@dataclass(frozen=True)
class Round:
    """The time of one instance or several for the same texts, in seconds."""

    wall: float
    processor: float
    wanting: float
    """Of all threads, on a core or waiting for one."""
    latencies: list[float]


async def ask(service: Service, clients: int, queue: list[list[str]]) -> Round:
    """All requests of `queue`, from so many clients."""
    latencies: list[float] = []
    options = service.task.defaults

    async def client() -> None:
        while queue:
            request = PredictRequest(queue.pop(), options)
            sent = time.perf_counter()
            await service.predict(request)
            latencies.append(time.perf_counter() - sent)

    started, (used, waited) = time.perf_counter(), _scheduled()
    await asyncio.gather(*(client() for _ in range(clients)))
    wall, (used_then, waited_then) = time.perf_counter() - started, _scheduled()
    processor = used_then - used
    return Round(wall, processor, processor + waited_then - waited, latencies)


def _scheduled() -> tuple[float, float]:
    """Seconds that the threads of this process ran so far, and that they waited for a core."""
    threads = (path.read_text().split() for path in Path("/proc/self/task").glob("*/schedstat"))
    ran, waited = zip(*((int(ran), int(waited)) for ran, waited, _ in threads), strict=True)
    return sum(ran) / 1e9, sum(waited) / 1e9


async def compare(one: Service, several: Service, clients: int, queue: list[list[str]], rounds: int) -> Figures:
    """Both, one after the other; the order alternates from round to round."""
    figures = Figures()
    for service in (one, several):
        await ask(service, clients, queue[: 2 * clients])
    for number in range(rounds):
        order = (one, several) if number % 2 else (several, one)
        found = {service: await ask(service, clients, queue[:]) for service in order}
        before, now = found[one], found[several]
        figures.rates.append(before.wall / now.wall)
        figures.processor.append(now.processor / before.processor)
        figures.medians.append(statistics.median(now.latencies) / statistics.median(before.latencies))
        figures.tails.append(_tail(now.latencies) / _tail(before.latencies))
        figures.wanted.append((before.wanting / before.wall, now.wanting / now.wall))
    return figures


def _tail(latencies: Sequence[float]) -> float:
    return sorted(latencies)[int(0.95 * (len(latencies) - 1))]


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


def _private_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.split("RssAnon:")[1].split()[0]) / 1024


def texts(kind: str, count: int) -> list[str]:
    """As benchmarks/texts.py has them; `equal` are as long as each other."""
    return ["the quick brown fox jumps over a lazy dog " * 4] * count if kind == "equal" else make(kind, count)


async def measure(models: Sequence[Model], options: argparse.Namespace) -> None:
    """Prints how long it took to open instances, and a row for each case."""
    services = [make_service(each, ModelSettings()) for each in models]
    for service in services:
        service.start()
    await ask(services[0], 1, [texts("mixed", 8)])
    before, started = _private_mb(), time.perf_counter()
    await services[1].open_instances()
    print(
        f"opened in {time.perf_counter() - started:.2f} s (the first session: {models[1].load_seconds:.2f} s),",
        end=" ",
    )
    print(f"{_private_mb() - before:.0f} MB more private memory\n")
    print("| clients | texts per request | kind | processor time | threads with work | texts/s | p50 | p95 |")
    print("|---" * 8 + "|")
    chosen = options.only.split() if options.only else []
    cases = [(int(chosen[0]), int(chosen[1]), chosen[2])] if chosen else CASES
    for clients, size, kind in cases:
        count = max(options.texts, clients * size)
        sent = texts(kind, count)
        queue = [sent[start : start + size] for start in range(0, count, size)]
        found = await compare(services[0], services[1], clients, queue, options.rounds)
        wanted = " to ".join(f"{statistics.median(each):.1f}" for each in zip(*found.wanted, strict=True))
        ratios = map(_spread, (found.rates, found.medians, found.tails))
        cells = [clients, size, kind, _spread(found.processor), wanted, *ratios]
        print("| " + " | ".join(map(str, cells)) + " |", flush=True)
    for service in services:
        await service.stop()


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--texts", type=int, default=128)
    parser.add_argument("--only", help="one case of the table, such as '32 1 mixed'")
    options = parser.parse_args()
    device, cores = Device("cpu", "benchmark"), len(os.sched_getaffinity(0))
    print(
        f"{options.file.name}, {cores} instances against one, load of the machine {os.getloadavg()[0]:.1f},", end=" "
    )
    print(f"{options.rounds} rounds; medians of ratios, minimum and maximum in brackets")
    models = [load(options.file, device, ModelSettings(threads=cores, instances=each)) for each in (1, cores)]
    asyncio.run(measure(models, options))


if __name__ == "__main__":
    main()
