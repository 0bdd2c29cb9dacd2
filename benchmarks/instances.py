"""What several instances bring and cost, against one instance of the same model in the same process.

    python benchmarks/instances.py MODEL_FOLDER [--rounds 7] [--texts 128] [--only '32 1 mixed']

Clients are closed loops that ask the service directly, so nothing of HTTP is in the figures. Every round measures one
instance and several in turn, on the same texts; what is printed are ratios, medians with least and most, so that a
machine that does other things too gives figures that mean something.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from texts import make

from encoderfile.builder.check import check
from encoderfile.builder.config import BuildConfig
from encoderfile.model.device import Device
from encoderfile.model.instances import Instances
from encoderfile.model.model import Model
from encoderfile.model.session import Session
from encoderfile.model.tokenizer import Tokenizer
from encoderfile.runtime.sizing import make_service
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
"""Clients, texts a request, kind of text."""


@dataclass
class Figures:
    """One case: several instances against one, a figure a round."""

    rates: list[float] = field(default_factory=list)
    medians: list[float] = field(default_factory=list)
    tails: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)


async def ask(service: Service, clients: int, queue: list[list[str]]) -> tuple[float, float, list[float]]:
    """Seconds, seconds of processor time, and each request's latency."""
    latencies: list[float] = []
    options = service.task.defaults

    async def client() -> None:
        while queue:
            request = PredictRequest(queue.pop(), options)
            sent = time.perf_counter()
            await service.predict(request)
            latencies.append(time.perf_counter() - sent)

    started, used = time.perf_counter(), time.process_time()
    await asyncio.gather(*(client() for _ in range(clients)))
    return time.perf_counter() - started, time.process_time() - used, latencies


async def compare(one: Service, several: Service, clients: int, queue: list[list[str]], rounds: int) -> Figures:
    """Both in turn, the first of them another one in every round."""
    figures = Figures()
    for service in (one, several):
        await ask(service, clients, queue[: 2 * clients])
    for number in range(rounds):
        order = (one, several) if number % 2 else (several, one)
        found = {service: await ask(service, clients, queue[:]) for service in order}
        (seconds, processor, latencies), (more_seconds, more_processor, more_latencies) = found[one], found[several]
        figures.rates.append(seconds / more_seconds)
        figures.processor.append(more_processor / processor)
        figures.medians.append(statistics.median(more_latencies) / statistics.median(latencies))
        figures.tails.append(_tail(more_latencies) / _tail(latencies))
    return figures


def _tail(latencies: Sequence[float]) -> float:
    return sorted(latencies)[int(0.95 * (len(latencies) - 1))]


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


def _resident_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def texts(kind: str, count: int) -> list[str]:
    """As benchmarks/texts.py has them; `equal` are as long as each other."""
    return ["the quick brown fox jumps over a lazy dog " * 4] * count if kind == "equal" else make(kind, count)


async def measure(model: Model, several: Model, options: argparse.Namespace) -> None:
    settings = ModelSettings()
    services = [make_service(each, settings) for each in (model, several)]
    for service in services:
        service.start()
    await ask(services[0], 1, [texts("mixed", 8)])
    before, started = _resident_mb(), time.perf_counter()
    await services[1].open_instances()
    print(
        f"opened in {time.perf_counter() - started:.2f} s (the first session: {model.load_seconds:.2f} s),", end=" "
    )
    print(f"{_resident_mb() - before:.0f} MB more memory\n")
    print("| clients | texts a request | kind | texts/s | p50 | p95 | processor time |")
    print("|---" * 7 + "|")
    chosen = options.only.split() if options.only else []
    cases = [(int(chosen[0]), int(chosen[1]), chosen[2])] if chosen else CASES
    for clients, size, kind in cases:
        count = max(options.texts, clients * size)
        sent = texts(kind, count)
        queue = [sent[start : start + size] for start in range(0, count, size)]
        found = await compare(services[0], services[1], clients, queue, options.rounds)
        cells = [clients, size, kind, *map(_spread, (found.rates, found.medians, found.tails, found.processor))]
        print("| " + " | ".join(map(str, cells)) + " |", flush=True)
    for service in services:
        await service.stop()


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--texts", type=int, default=128)
    parser.add_argument("--only", help="one case of the table, such as '32 1 mixed'")
    options = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    found = check(BuildConfig(path=options.model))
    load = partial(Session, *found.graph.in_place(), device=Device("cpu", "benchmark"))
    session, tokenizer = (
        load(threads=cores),
        Tokenizer(found.folder.files["tokenizer.json"], found.manifest.tokenizer),
    )
    several = Instances(cores, partial(load, threads=1), 0)
    print(
        f"{options.model.name}, {cores} instances against one, load of the machine {os.getloadavg()[0]:.1f},", end=" "
    )
    print(f"{options.rounds} rounds; medians of ratios, least and most in brackets")
    models = Model(found.manifest, tokenizer, session), Model(found.manifest, tokenizer, session, several)
    asyncio.run(measure(*models, options))


if __name__ == "__main__":
    main()
