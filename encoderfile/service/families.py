"""Families of metrics, and their text forms: Prometheus' own and OpenMetrics."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"

Labels = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Counter:
    """A value per label set, which only grows."""

    kind: ClassVar[str] = "counter"
    name: str
    help: str
    labels: Labels = ()
    values: dict[Labels, float] = field(default_factory=dict)

    def add(self, labels: Labels, amount: float = 1) -> None:
        self.values[labels] = self.values.get(labels, 0) + amount

    def lines(self) -> Iterator[str]:
        """The samples in Prometheus' text form."""
        for labels, value in list(self.values.items()):
            yield _sample(self.name, zip(self.labels, labels, strict=True), value)


@dataclass(frozen=True, slots=True)
class Gauge(Counter):
    """A value per label set, which goes up and down."""

    kind: ClassVar[str] = "gauge"


@dataclass(slots=True)
class Distribution:
    """Observations of one label set: how many fell into each bucket (not cumulated), and their sum."""

    counts: list[int]
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class Histogram:
    """Observations per label set, in buckets with the upper `bounds`."""

    kind: ClassVar[str] = "histogram"
    name: str
    help: str
    labels: Labels
    bounds: tuple[float, ...]
    values: dict[Labels, Distribution] = field(default_factory=dict)

    def observe(self, labels: Labels, value: float) -> None:
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
                limit = "+Inf" if bound is None else repr(float(bound))
                yield _sample(f"{self.name}_bucket", [*pairs, ("le", limit)], count)
            yield _sample(f"{self.name}_sum", pairs, found.total)
            yield _sample(f"{self.name}_count", pairs, count)


Family = Counter | Histogram


def text(families: Iterable[Family]) -> str:
    """All samples in Prometheus' text form."""
    lines: list[str] = []
    for family in families:
        lines += [f"# HELP {family.name} {family.help}", f"# TYPE {family.name} {family.kind}", *family.lines()]
    return "\n".join(lines) + "\n"


def openmetrics(families: Iterable[Family]) -> str:
    """The same in the form of https://prometheus.io/docs/specs/om/open_metrics_spec/."""
    lines: list[str] = []
    for family in families:
        name = family.name.removesuffix("_total") if family.kind == "counter" else family.name
        lines += [f"# HELP {name} {family.help}", f"# TYPE {name} {family.kind}", *family.lines()]
    return "\n".join([*lines, "# EOF"]) + "\n"


def _sample(name: str, labels: Iterable[tuple[str, str]], value: float) -> str:
    inside = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels)
    number = str(int(value)) if float(value).is_integer() else repr(float(value))
    return f"{name}{{{inside}}} {number}" if inside else f"{name} {number}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
