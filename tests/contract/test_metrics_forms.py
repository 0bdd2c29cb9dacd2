"""`/metrics` as Prometheus' own library reads it, in both of its forms."""

from typing import Any

import pytest

import encoderfile
from encoderfile.service.families import Counter, Histogram, openmetrics, text
from support.metrics import families
from support.servers import Servers

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;q=0.3,"
    "text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)


@pytest.fixture
def asked(servers: Servers) -> Any:
    """A client of a server that has answered, refused and truncated."""
    client = servers.shared("http", "sentiment")
    client.request("POST", "/predict", json={"inputs": ["a", "word " * 1000]})
    client.get("/nothing")
    servers.shared("grpc", "sentiment").predict(["a"])
    return client


@pytest.mark.parametrize("openmetrics", [False, True], ids=["text", "OpenMetrics"])
def test_the_page_is_read_by_prometheus_own_library(openmetrics: bool, asked: Any) -> None:
    found = families(asked, openmetrics=openmetrics)
    assert all(each.documentation for each in found.values())
    assert found["encoderfile_requests"].type == "counter"
    assert found["http_server_request_duration_seconds"].type == "histogram"


def test_both_forms_say_the_same(asked: Any) -> None:
    plain, open_ = families(asked), families(asked, openmetrics=True)
    assert plain.keys() == open_.keys()
    for name in ("encoderfile_batch_size", "encoderfile_tokens_processed", "sie_batch_size"):
        assert [each[:3] for each in plain[name].samples] == [each[:3] for each in open_[name].samples]


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("", TEXT),
        ("*/*", TEXT),
        ("text/html,application/xhtml+xml,*/*;q=0.8", TEXT),
        ("text/plain", TEXT),
        (PROMETHEUS, OPENMETRICS),
        ("application/openmetrics-text", OPENMETRICS),
        ("Application/OpenMetrics-Text; version=1.0.0, text/plain", OPENMETRICS),
        ("application/openmetrics-text;q=0.2,text/plain;q=0.7", TEXT),
        ("application/openmetrics-text;q=0", TEXT),
        ("application/openmetrics-text;q=much", TEXT),
    ],
    ids=[
        "nothing",
        "anything",
        "a browser",
        "text",
        "Prometheus",
        "OpenMetrics alone",
        "both alike",
        "text rather",
        "not OpenMetrics",
        "no number",
    ],
)
def test_the_form_is_the_one_that_the_client_would_rather_have(accept: str, media: str, asked: Any) -> None:
    response = asked.get("/metrics", headers={"accept": accept})
    assert response.headers["content-type"] == media
    assert response.text.endswith("# EOF\n") == (media == OPENMETRICS)
    assert response.headers["vary"] == "Accept"


def test_the_file_says_what_it_is(asked: Any) -> None:
    (sample,) = families(asked)["encoderfile_build_info"].samples
    assert sample.value == 1
    assert sample.labels == {
        "version": encoderfile.__version__,
        "model": "model",
        "model_version": "0.1.0",
        "model_type": "sequence_classification",
        "device": "cpu",
    }


def test_open_connections_are_counted(own: Servers) -> None:
    client = own.client("http", "sentiment")
    (sample,) = families(client)["encoderfile_http_connections"].samples
    assert sample.value == 1


def test_counters_and_bounds_are_written_as_each_form_has_them() -> None:
    counter, histogram = Counter("a_total", "A."), Histogram("b", "B.", (), (0.5, 1))
    counter.add((), 2)
    histogram.observe((), 1)
    samples = 'b_bucket{le="0.5"} 0\nb_bucket{le="1.0"} 1\nb_bucket{le="+Inf"} 1\nb_sum 1\nb_count 1\n'
    assert text([counter, histogram]) == (
        f"# HELP a_total A.\n# TYPE a_total counter\na_total 2\n# HELP b B.\n# TYPE b histogram\n{samples}"
    )
    assert openmetrics([counter, histogram]) == (
        f"# HELP a A.\n# TYPE a counter\na_total 2\n# HELP b B.\n# TYPE b histogram\n{samples}# EOF\n"
    )
