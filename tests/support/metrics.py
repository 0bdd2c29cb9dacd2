"""Metrics of a model that nobody runs, and what a page of metrics says."""

from typing import Any

from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from encoderfile.service.metrics import Metrics
from encoderfile.types import ModelInfo

OPENMETRICS = {"accept": "application/openmetrics-text"}


def metrics_of(model: str = "model") -> Metrics:
    """Those of a model on the CPU that was asked nothing."""
    return Metrics(ModelInfo(model, "1", "sequence_classification", None, 8), "cpu", 0)


def families(client: Any, *, openmetrics: bool = False) -> dict[str, Any]:
    """What `/metrics` says, as Prometheus' own library for Python reads it; by name."""
    page = client.get("/metrics", headers=OPENMETRICS if openmetrics else {}).text
    return {each.name: each for each in (read_openmetrics if openmetrics else read_text)(page)}
