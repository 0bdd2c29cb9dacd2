"""What the service counts, and its text form for Prometheus.

The names that begin with `sie_` are those of the SIE API page. Values change on the event loop alone,
so there are no locks. Reading never changes anything.
"""

from __future__ import annotations

import asyncio
import bisect
import os
import resource
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from encoderfile.errors import QueueFullError
from encoderfile.types import Timing

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Of `Metrics.text`."""

SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the latency buckets."""
TEXTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
"""Upper bounds of the batch size buckets."""

Labels = tuple[str, ...]


@dataclass(slots=True)
class Distribution:
    """Observations of one label set: how many fell into each bucket (not cumulated), and their sum."""

    counts: list[int]
    total: float = 0.0


class Counter:
    """A sum per label set."""

    kind = "counter"

    def __init__(self, name: str, help: str, labels: Labels) -> None:
        self.name, self.help, self.labels = name, help, labels
        self.values: dict[Labels, float] = {}

    def add(self, labels: Labels, amount: float = 1) -> None:
        self.values[labels] = self.values.get(labels, 0) + amount

    def lines(self) -> Iterator[str]:
        """The samples in Prometheus' text form."""
        for labels, value in list(self.values.items()):
            yield _sample(self.name, zip(self.labels, labels, strict=True), value)


class Gauge(Counter):
    """A value per label set, read when asked for."""

    kind = "gauge"

    def __init__(self, name: str, help: str, values: Mapping[Labels, float], labels: Labels = ()) -> None:
        super().__init__(name, help, labels)
        self.values = dict(values)


class Histogram:
    """Observations per label set, in buckets."""

    kind = "histogram"

    def __init__(self, name: str, help: str, labels: Labels, bounds: Sequence[float]) -> None:
        self.name, self.help, self.labels = name, help, labels
        self.bounds = tuple(bounds)
        self.values: dict[Labels, Distribution] = {}

    def observe(self, labels: Labels, value: float) -> None:
        """Counts one value."""
        found = self.values.get(labels)
        if found is None:
            found = self.values[labels] = Distribution([0] * (len(self.bounds) + 1))
        found.counts[bisect.bisect_left(self.bounds, value)] += 1
        found.total += value

    def lines(self) -> Iterator[str]:
        """The samples in Prometheus' text form: buckets are cumulated there."""
        for labels, found in list(self.values.items()):
            pairs = list(zip(self.labels, labels, strict=True))
            count = 0
            for bound, inside in zip((*self.bounds, None), found.counts, strict=True):
                count += inside
                limit = "+Inf" if bound is None else f"{bound:g}"
                yield _sample(f"{self.name}_bucket", [*pairs, ("le", limit)], count)
            yield _sample(f"{self.name}_sum", pairs, found.total)
            yield _sample(f"{self.name}_count", pairs, count)


@dataclass(slots=True)
class Measured:
    """One request while it runs. Who answers it leaves the phases here."""

    started: float = field(default_factory=time.perf_counter)
    timing: Timing | None = None


class Metrics:
    """The counters of one service."""

    def __init__(self, model: str, device: str, model_bytes: int) -> None:
        """`model_bytes` is the size of graph and weights; the weights are mapped, not copied."""
        self._model, self._device = model, device
        self.model_bytes = model_bytes
        self.started = time.time()
        self.requests = Counter("sie_requests_total", "Requests.", ("model", "endpoint", "status"))
        self.durations = Histogram(
            "sie_request_duration_seconds", "Time of a request, by phase.", ("model", "endpoint", "phase"), SECONDS
        )
        self.batches = Histogram("sie_batch_size", "Texts of one run of the model.", ("model",), TEXTS)
        self.tokens = Counter("sie_tokens_processed_total", "Tokens, special ones included.", ("model",))
        self.truncated = Counter("encoderfile_truncated_inputs_total", "Texts cut at the limit.", ("model",))
        # Zero from the first reading on: a rate needs a beginning.
        self.tokens.add((model,), 0)
        self.truncated.add((model,), 0)

    @contextmanager
    def request(self, endpoint: str) -> Iterator[Measured]:
        """Counts one request and its time; the phases too when it was answered."""
        measured, status = Measured(), "error"
        try:
            yield measured
            status = "success"
        except QueueFullError:
            status = "queue_full"
            raise
        except asyncio.CancelledError:
            status = "cancelled"
            raise
        finally:
            self.requests.add((self._model, endpoint, status))
            phases = {"total": time.perf_counter() - measured.started}
            if measured.timing is not None:
                phases["queue"] = measured.timing.queue
                phases["tokenize"] = measured.timing.tokenization
                phases["inference"] = measured.timing.inference
            for phase, seconds in phases.items():
                self.durations.observe((self._model, endpoint, phase), seconds)

    def answered(self, tokens: int, truncated: int) -> None:
        """Counts what one answered request brought."""
        self.tokens.add((self._model,), tokens)
        self.truncated.add((self._model,), truncated)

    def batch(self, texts: int) -> None:
        """Counts one run of the model."""
        self.batches.observe((self._model,), texts)

    def text(self, waiting: int, ready: bool) -> str:
        """Everything in Prometheus' text form; `waiting` texts are queued now."""
        one, both = ("model",), ("model", "device")
        place = (self._model, self._device)
        families: list[Counter | Histogram] = [
            self.requests,
            self.durations,
            self.batches,
            self.tokens,
            self.truncated,
            Gauge("sie_queue_depth", "Texts that wait.", {(self._model,): waiting}, one),
            Gauge("sie_model_loaded", "Whether the model takes requests.", {place: int(ready)}, both),
            Gauge("sie_model_memory_bytes", "Size of graph and weights.", {place: self.model_bytes}, both),
            *_process(),
        ]
        lines: list[str] = []
        for family in families:
            lines += [f"# HELP {family.name} {family.help}", f"# TYPE {family.name} {family.kind}", *family.lines()]
        return "\n".join(lines) + "\n"

    def counters(self) -> dict[str, dict[str, float]]:
        """Sums per model, under the names of the status stream: without `_total`."""
        return {
            family.name.removesuffix("_total"): {self._model: sum(family.values.values())}
            for family in (self.requests, self.tokens, self.truncated)
        }

    def histograms(self) -> dict[str, dict[str, dict[str, list[float]]]]:
        """Buckets per model, under the names of the status stream; `counts` are not cumulated."""
        totals = {labels: found for labels, found in list(self.durations.values.items()) if labels[-1] == "total"}
        rows = (
            (self.durations, list(totals.values())),
            (self.batches, list(self.batches.values.values())),
        )
        return {
            family.name: {
                self._model: {
                    "buckets": list(family.bounds),
                    "counts": [float(sum(column)) for column in zip(*(each.counts for each in found), strict=True)],
                }
            }
            for family, found in rows
            if found
        }


def _process() -> Iterator[Counter]:
    """The usual metrics of the process itself; those of /proc only where there is one."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds: dict[Labels, float] = {(): used.ru_utime + used.ru_stime}
    cpu = Counter("process_cpu_seconds_total", "CPU time, user and system.", ())
    cpu.values = seconds
    yield cpu
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield Gauge("process_max_fds", "Open files, at most.", {(): limit})
    try:
        fields = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        boot = next(
            float(line.split()[1])
            for line in Path("/proc/stat").read_text(encoding="utf-8").splitlines()
            if line.startswith("btime ")
        )
        open_files = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names alone, and one call
    except (OSError, StopIteration):
        return
    ticks, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
    yield Gauge("process_start_time_seconds", "When it began.", {(): boot + int(fields[19]) / ticks})
    yield Gauge("process_virtual_memory_bytes", "Address space.", {(): int(fields[20])})
    yield Gauge(
        "process_resident_memory_bytes", "Memory held, mapped weights included.", {(): int(fields[21]) * page}
    )
    yield Gauge("process_open_fds", "Open files.", {(): open_files})


def _sample(name: str, labels: Iterable[tuple[str, str]], value: float) -> str:
    inside = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels)
    number = str(int(value)) if float(value).is_integer() else repr(float(value))
    return f"{name}{{{inside}}} {number}" if inside else f"{name} {number}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
