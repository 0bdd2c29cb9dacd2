"""The dashboard and the alerts of deploy/: all that they ask Prometheus for is what a server counts."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import promql_parser as promql
import pytest
import yaml

from encoderfile.errors import QueueFullError
from support.metrics import families
from support.models import ROOT
from support.servers import Servers

DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "encoderfile.json").read_text(encoding="utf-8"))
PROMETHEUS = ROOT / "deploy" / "prometheus"
ALERTS = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text(encoding="utf-8"))
SCRAPING = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text(encoding="utf-8"))

PANELS = {each["title"]: each for each in DASHBOARD["panels"] if each["type"] != "row"}
RULES = {each["alert"]: each for group in ALERTS["groups"] for each in group["rules"]}
VARIABLES = {each["name"]: each for each in DASHBOARD["templating"]["list"]}

OF_PROMETHEUS = {"job", "instance"}
"""Labels that it gives to everything."""

Counted = dict[str, dict[str, set[str]]]
"""Names of samples, their labels, and the values of these."""


def asked_with(expression: str) -> str:
    """An expression of the dashboard as Grafana sends it."""
    for name, value in {"$__rate_interval": "5m", "$model": "model", "$instance": "localhost:8080"}.items():
        expression = expression.replace(name, value)
    return expression


EXPRESSIONS = {
    **{
        f"{title} {target['refId']}": asked_with(target["expr"])
        for title, panel in PANELS.items()
        for target in panel["targets"]
    },
    **{name: rule["expr"] for name, rule in RULES.items()},
}


@pytest.fixture(scope="module")
def counted(module_servers: Servers) -> Counted:
    """What a server counts that has answered, refused and failed on every protocol."""
    service = module_servers.service("sentiment")
    client = module_servers.client("http", service)
    client.request("POST", "/predict", json={"inputs": ["a", "word " * 1000]})
    client.get("/nothing")
    for way in ("grpc", "mcp"):
        module_servers.client(way, service).predict(["a"])
    with pytest.raises(QueueFullError), service.metrics.request("predict"):
        raise QueueFullError("full")
    service.ready = False
    assert client.get("/readyz").status_code == 503
    service.ready = True
    found: Counted = defaultdict(lambda: defaultdict(set))
    for family in families(client).values():
        for sample in family.samples:
            labels = found[sample.name]
            for name, value in sample.labels.items():
                labels[name].add(value)
    found["up"]["job"].add("encoderfile")  # Prometheus' own
    for labels in found.values():
        labels["job"].add(SCRAPING["scrape_configs"][0]["job_name"])
        labels["instance"].add(SCRAPING["scrape_configs"][0]["static_configs"][0]["targets"][0])
    return found


def nodes(expression: str) -> list[Any]:
    """All parts of an expression."""
    found: list[Any] = []
    promql.walk(promql.parse(expression), found.append)
    return found


def selectors(expression: str) -> Iterator[tuple[str, list[Any]]]:
    """The metrics of an expression, with what they are narrowed to."""
    for each in nodes(expression):
        selector = each.vector_selector if isinstance(each, promql.MatrixSelector) else each
        if isinstance(selector, promql.VectorSelector):
            assert selector.name is not None
            yield selector.name, selector.matchers.matchers


def kept(expression: str) -> set[str]:
    """The labels by which an expression sums up."""
    modifiers = [each.modifier for each in nodes(expression) if isinstance(each, promql.AggregateExpr)]
    return {label for each in modifiers if each is not None for label in each.labels}


def matches(matcher: Any, values: set[str]) -> bool:
    """Whether a matcher leaves something over of the values that are there."""
    kind = matcher.op
    if kind in (promql.MatchOp.Equal, promql.MatchOp.NotEqual):
        return (matcher.value in values) if kind == promql.MatchOp.Equal else values != {matcher.value}
    return any((re.fullmatch(matcher.value, each) is not None) == (kind == promql.MatchOp.Re) for each in values)


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_every_metric_label_and_value_of_an_expression_is_counted(name: str, counted: Counted) -> None:
    expression = EXPRESSIONS[name]
    asked = list(selectors(expression))
    assert asked
    for metric, matchers in asked:
        assert metric in counted, metric
        for matcher in matchers:
            assert matcher.name in counted[metric], f"{metric} has no {matcher.name}"
            assert matches(matcher, counted[metric][matcher.name]), f"no {metric} has such a {matcher.name}"
        if "bucket" not in metric or "le" in kept(expression):
            assert kept(expression) <= set(counted[metric]), metric


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_counters_are_asked_for_their_rate_and_gauges_are_not(name: str, counted: Counted) -> None:
    rated = {
        each.args[0].vector_selector.name
        for each in nodes(EXPRESSIONS[name])
        if isinstance(each, promql.Call) and each.func.name == "rate"
    }
    for metric, _ in selectors(EXPRESSIONS[name]):
        assert (metric in rated) == metric.endswith(("_total", "_bucket", "_sum", "_count")), metric


@pytest.mark.parametrize("title", PANELS)
def test_a_legend_names_labels_that_are_left(title: str, counted: Counted) -> None:
    for target in PANELS[title]["targets"]:
        expression = asked_with(target["expr"])
        sums = any(isinstance(each, promql.AggregateExpr) for each in nodes(expression))
        left = kept(expression) if sums else OF_PROMETHEUS
        assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= left


@pytest.mark.parametrize("name", ["model", "instance"])
def test_what_one_may_choose_is_counted(name: str, counted: Counted) -> None:
    query = VARIABLES[name]["query"]["query"]
    found = re.fullmatch(r"label_values\((.*), (\w+)\)", query)
    assert found is not None, query
    for metric, matchers in selectors(asked_with(found[1])):
        assert found[2] in counted[metric]
        assert {each.name for each in matchers} <= set(counted[metric])


def test_the_dashboard_can_be_imported_for_any_prometheus() -> None:
    assert VARIABLES["datasource"]["type"] == "datasource"
    for panel in PANELS.values():
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["description"]
    assert len({each["id"] for each in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_panels_fill_the_width_and_none_covers_another() -> None:
    cells = [
        (x, y)
        for at in (each["gridPos"] for each in DASHBOARD["panels"])
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(cells) == len(set(cells)) == 24 * (max(y for _, y in cells) + 1)


@pytest.mark.parametrize("name", RULES)
def test_an_alert_says_how_bad_it_is_and_where(name: str) -> None:
    rule = RULES[name]
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    told = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    assert told
    assert told <= (kept(rule["expr"]) or OF_PROMETHEUS | {"model"})


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not here")
def test_prometheus_own_tool_finds_no_fault(counted: Counted) -> None:
    for what in (["check", "config", "prometheus.yml"], ["test", "rules", "alerts_test.yml"]):
        done = subprocess.run(["promtool", *what], cwd=PROMETHEUS, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
