"""The service's metrics under the names of the SIE API page, for `/metrics` and for `/ws/status`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

from encoderfile.service.families import Family
from encoderfile.service.metrics import Metrics

_OF_THE_PAGE = frozenset(
    {
        "requests_total",
        "request_duration_seconds",
        "batch_size",
        "tokens_processed_total",
        "queue_depth",
        "model_loaded",
        "model_memory_bytes",
    }
)


def _name(family: Family) -> str:
    """SIE's name of a family; its own where the page has none."""
    plain = family.name.removeprefix("encoderfile_")
    return f"sie_{plain}" if plain in _OF_THE_PAGE else family.name


def families(own: Iterable[Family]) -> Iterator[Family]:
    """Those of `own` that are on the page, by their names there; the values are the same objects."""
    for family in own:
        name = _name(family)
        if name != family.name:
            yield dataclasses.replace(family, name=name)


def counters(metrics: Metrics, model: str) -> dict[str, dict[str, float]]:
    """Sums per model, under the names of the status stream: without `_total`."""
    return {
        _name(family).removesuffix("_total"): {model: sum(family.values.values())}
        for family in (metrics.requests, metrics.tokens, metrics.truncated)
    }


def histograms(metrics: Metrics, model: str) -> dict[str, dict[str, dict[str, list[float]]]]:
    """Buckets per model, under the names of the status stream; `counts` are not cumulated."""
    totals = [found for labels, found in metrics.durations.values.items() if labels[-1] == "total"]
    rows = ((metrics.durations, totals), (metrics.batches, list(metrics.batches.values.values())))
    return {
        _name(family): {
            model: {
                "buckets": list(family.bounds),
                "counts": [float(sum(column)) for column in zip(*(each.counts for each in found), strict=True)],
            }
        }
        for family, found in rows
        if found
    }
