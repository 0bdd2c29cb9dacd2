"""Measures this file on this machine, and says which `--threads` and `--max-batch-tokens` suit it."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from encoderfile.model.device import Device
from encoderfile.model.model import Model
from encoderfile.runtime.loading import load, served
from encoderfile.settings import ModelSettings
from encoderfile.types import PredictRequest, Text

_BUDGETS = {"cpu": (256, 512, 1024, 2048, 4096), "cuda": (4096, 16384, 65536)}
_ROUNDS = 3
_NEAR = 0.97
"""A setting that reaches so much of the best is as good, if it takes fewer threads or less memory."""


@dataclass
class Measured:
    """One setting: texts a second in each round."""

    threads: int
    batch_tokens: int
    rates: list[float] = field(default_factory=list)
    memory: int = 0
    """Bytes of this process after the first round, mapped weights included; 0 where the kernel does not tell."""

    @property
    def rate(self) -> float:
        """The median."""
        return statistics.median(self.rates)


@dataclass(frozen=True)
class Report:
    """What was measured."""

    device: str
    lengths: Sequence[int]
    """Of the texts, in characters."""
    found: Sequence[Measured]
    alone: Mapping[int, float]
    """Median seconds of one text alone, by the number of threads."""

    @property
    def advised(self) -> Measured:
        """As good as the best: the fewest threads, then the least tokens."""
        best = max(each.rate for each in self.found)
        return next(each for each in self.found if each.rate >= _NEAR * best)

    @property
    def flags(self) -> str:
        """Those of the advice."""
        return f"--threads {self.advised.threads} --max-batch-tokens {self.advised.batch_tokens}"

    @property
    def title(self) -> str:
        """What was measured, and how."""
        shortest, longest = min(self.lengths), max(self.lengths)
        return (
            f"{len(self.lengths)} texts of {shortest} to {longest} characters on {self.device}, "
            f"medians of {_ROUNDS} rounds"
        )

    @property
    def warning(self) -> str | None:
        """Where others use the machine."""
        load_average, cores = os.getloadavg()[0], len(os.sched_getaffinity(0))
        if load_average <= cores + 1:
            return None
        return f"The machine is busy (load {load_average:.1f} on {cores} cores): measure again when it is not."

    def text(self) -> str:
        """For a file or a program: the same lines in every version."""
        lines = [self.title, "", "threads  max-batch-tokens  texts/s  least-most  one text alone"]
        lines += [
            f"{each.threads:7}  {each.batch_tokens:16}  {each.rate:7.0f}  "
            f"{f'{min(each.rates):.0f}-{max(each.rates):.0f}':>10}  {1000 * self.alone[each.threads]:11.1f} ms"
            for each in self.found
        ]
        if self.warning:
            lines += ["", self.warning]
        return "\n".join([*lines, "", self.flags])


def built_in_texts(count: int = 200) -> list[Text]:
    """Texts of 4 to 180 words, most of them short, the same in every run."""
    rng = random.Random(0)
    words = "a server answers what many people ask in short or in long while others wait and nobody knows why".split()
    return [" ".join(rng.choices(words, k=min(180, 4 + int(rng.expovariate(1 / 40))))) for _ in range(count)]


def bench(
    executable: Path, device: Device, settings: ModelSettings, texts: Sequence[Text], step: Callable[[str], None]
) -> Report:
    """Runs `texts` under several settings, except for those given.

    `step` is told what is measured next. Raises what `load` and the service raise.
    """
    threads, budgets = _tried(settings, device)
    texts = texts[: min(settings.max_inputs, settings.max_queue)]
    found, alone = [], {}
    for count in threads:
        model = load(executable, device, dataclasses.replace(settings, threads=count))
        measured = [Measured(count, budget) for budget in budgets]
        for number in range(_ROUNDS):  # in turns, so that a busy moment falls on all
            for each in measured:
                step(f"{count} threads, {each.batch_tokens} tokens a run, round {number + 1} of {_ROUNDS}")
                with_budget = dataclasses.replace(settings, max_batch_tokens=each.batch_tokens)
                each.rates.append(len(texts) / asyncio.run(_seconds(model, with_budget, texts)))
                # Memory of a run is kept for the next, so later rounds tell of the largest setting only.
                each.memory = each.memory or _resident()
        alone[count] = asyncio.run(_seconds_alone(model, settings, texts))
        found += measured
    return Report(device.name, _lengths(texts), found, alone)


def steps(device: Device, settings: ModelSettings) -> int:
    """How often `step` is called, for a progress bar."""
    threads, budgets = _tried(settings, device)
    return _ROUNDS * len(threads) * len(budgets)


def _tried(settings: ModelSettings, device: Device) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The numbers of threads, and of tokens at the same time."""
    given = bool(settings.threads) or device.name == "cuda"
    threads = (settings.granted_threads,) if given else _halves(settings.granted_threads)
    return threads, (settings.max_batch_tokens,) if settings.max_batch_tokens else _BUDGETS[device.name]


def _halves(number: int) -> tuple[int, ...]:
    return (number,) if number == 1 else (*_halves(number // 2), number)


async def _seconds(model: Model, settings: ModelSettings, texts: Sequence[Text]) -> float:
    async with served(model, settings) as service:
        await service.open_instances()
        for asked in (texts[:8], texts):  # the first warm up
            started = time.perf_counter()
            read = [service.task.as_input(text) if isinstance(text, str) else text for text in asked]
            await service.predict(PredictRequest(read, {**service.task.needed, **service.task.defaults}))
        return time.perf_counter() - started


async def _seconds_alone(model: Model, settings: ModelSettings, texts: Sequence[Text]) -> float:
    """The median of single texts, one after the other."""
    return statistics.median([await _seconds(model, settings, [text]) for text in texts[:20]])


def _lengths(texts: Sequence[Text]) -> list[int]:
    return [len(text) if isinstance(text, str) else sum(map(len, text)) for text in texts]


def _resident() -> int:
    try:
        return int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
