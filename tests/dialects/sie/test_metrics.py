"""Metrics: every name of the page, recorded for what really happened."""

import math
import re
from typing import Any

import pytest

from encoderfile.service.families import text
from encoderfile.service.metrics import Metrics
from encoderfile.transports.http.sie import metrics as sie_metrics
from encoderfile.types import Timing
from support.clients import PATIENCE
from support.controlled_models import Gated
from support.dialects import Sie, SieServers, renamed
from support.metrics import metrics_of
from support.servers import Servers

SAMPLE = re.compile(r"(?P<name>[a-z_]+)(\{(?P<labels>.*)\})? (?P<value>[0-9.e+-]+|NaN)")


OURS_ALONE = {"encoderfile_truncated_inputs_total", "encoderfile_build_info", "encoderfile_http_connections"}
"""What SIE has no name for."""


def samples(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """Name and label values to value; every line must be a comment or a sample."""
    found = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        match = SAMPLE.fullmatch(line)
        assert match, line
        labels = re.findall(r'[a-z_]+="([^"]*)"', match["labels"] or "")
        found[match["name"], tuple(labels)] = float(match["value"])
    return found


def page(metrics: Metrics) -> str:
    """What `/metrics` says of the service, under both names."""
    own = metrics.families(0, True)
    return text([*own, *sie_metrics.families(own)])


def read(client: Sie) -> dict[tuple[str, tuple[str, ...]], float]:
    response = client.http.get("/metrics")
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return samples(response.text)


@pytest.fixture
def fresh(own: SieServers) -> Sie:
    return own.serve(own.model("ner"))


@pytest.mark.proves("SIE GET /metrics", "sie_requests_total by model, endpoint, status")
def test_requests_are_counted_by_endpoint_and_outcome(fresh: Sie) -> None:
    fresh.extract("a")
    fresh.extract("a")
    fresh.extract("a", options={"profile": "zz"})
    fresh.encode("a")
    fresh.http.predict(["a"])
    fresh.post("/v1/embeddings", {})
    fresh.post("/rerank", {})
    fresh.score("a", "b")
    found = read(fresh)
    counted = {key[1][1:]: value for key, value in found.items() if key[0] == "sie_requests_total"}
    assert counted == {
        ("extract", "success"): 2,
        ("extract", "error"): 1,
        ("encode", "error"): 1,
        ("predict", "success"): 1,
        ("embeddings", "error"): 1,
        ("rerank", "error"): 1,
        ("score", "error"): 1,
    }


def test_a_client_disconnect_is_counted_as_such(own: SieServers) -> None:
    gated = Gated(own.model("ner"))
    client = own.serve(gated)
    try:
        leaving = client.http.start(["a"])
        gated.wait_until_running()
        leaving.cancel()
        # The server learns of it when it reads the end of the connection, which no client can await.
        counted = (("sie_requests_total", ("org/ner", "predict", "cancelled")) in read(client) for _ in range(2000))
        assert any(counted)
    finally:
        gated.open()


@pytest.mark.proves("SIE GET /metrics", "sie_requests_total by model, endpoint, status")
@pytest.mark.parametrize("way", ["grpc", "mcp"])
def test_the_other_protocols_are_counted_too(way: str, own: SieServers) -> None:
    servers: Servers = own.servers
    service = servers.service(own.model("ner"))
    servers.client(way, service).predict(["a"])
    assert f'endpoint="{way}",status="success"}} 1' in page(service.metrics)


@pytest.mark.proves("SIE GET /metrics", "sie_request_duration_seconds by model, endpoint, phase")
def test_time_is_recorded_for_every_phase(fresh: Sie) -> None:
    fresh.extract("a")
    found = read(fresh)
    for phase in ("total", "queue", "tokenize", "inference"):
        assert found["sie_request_duration_seconds_count", ("org/ner", "extract", phase)] == 1
        assert found["sie_request_duration_seconds_bucket", ("org/ner", "extract", phase, "+Inf")] == 1
    assert found["sie_request_duration_seconds_sum", ("org/ner", "extract", "total")] > 0


@pytest.mark.proves("SIE GET /metrics", "sie_batch_size, sie_tokens_processed_total")
def test_tokens_batches_and_truncated_texts_are_recorded(own: SieServers, fresh: Sie) -> None:
    tokens = len(own.model("ner").encode(["John lives in Paris"])[0])
    fresh.extract("John lives in Paris")
    fresh.extract("word " * 2000)
    found = read(fresh)
    assert found["sie_tokens_processed_total", ("org/ner",)] == tokens + 256
    assert found["encoderfile_truncated_inputs_total", ("org/ner",)] == 1
    assert found["sie_batch_size_count", ("org/ner",)] == 2
    assert found["sie_batch_size_sum", ("org/ner",)] == 2


@pytest.mark.proves("SIE GET /metrics", "sie_queue_depth")
def test_waiting_texts_are_the_depth_of_the_queue(own: SieServers) -> None:
    gated = Gated(own.model("ner"))
    client = own.serve(gated)
    try:
        running = client.http.start(["a"])
        gated.wait_until_running()
        waiting = client.http.start(["b", "c"])
        gated.wait_until_encoded(2)
        # The queue is entered on the event loop, which answers this after it.
        assert read(client)["sie_queue_depth", ("org/ner",)] == 2
    finally:
        gated.open()
    assert running.result(PATIENCE).results
    assert waiting.result(PATIENCE).results
    assert read(client)["sie_queue_depth", ("org/ner",)] == 0


@pytest.mark.proves("SIE GET /metrics", "sie_model_loaded")
def test_a_model_is_loaded_until_the_server_stops(fresh: Sie) -> None:
    assert read(fresh)["sie_model_loaded", ("org/ner", "cpu")] == 1
    fresh.service.ready = False
    assert read(fresh)["sie_model_loaded", ("org/ner", "cpu")] == 0


@pytest.mark.proves(
    "SIE GET /metrics", "sie_model_memory_bytes", here="The size of graph and weights, on whichever device."
)
def test_the_models_size_is_that_of_graph_and_weights(own: SieServers) -> None:
    from encoderfile.manifest import Artifact

    parts = (
        Artifact("graph.onnx", 0, 10, ""),
        Artifact("weights.bin", 10, 100, ""),
        Artifact("tokenizer.json", 0, 7, ""),
    )
    client = own.serve(renamed(own.model("ner"), artifacts=parts))
    assert read(client)["sie_model_memory_bytes", ("org/ner", "cpu")] == 110


def test_the_process_is_measured(fresh: Sie) -> None:
    found: dict[Any, float] = read(fresh)
    for name in (
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
        "process_virtual_memory_bytes",
        "process_open_fds",
        "process_max_fds",
        "process_start_time_seconds",
    ):
        assert found[name, ()] > 0


def test_buckets_are_cumulated_and_end_with_everything() -> None:
    metrics = metrics_of("m")
    for size in (1, 3, 3, 10_000):
        metrics.batch(size)
    found = samples(page(metrics))
    counts = [found["sie_batch_size_bucket", ("m", bound)] for bound in ("1.0", "2.0", "4.0", "512.0", "+Inf")]
    assert counts == [1, 1, 3, 3, 4]
    assert found["sie_batch_size_sum", ("m",)] == 10_007


def test_a_models_name_is_escaped() -> None:
    metrics = metrics_of('a"b\\c\nd')
    assert 'sie_queue_depth{model="a\\"b\\\\c\\nd"} 0' in page(metrics)


def test_what_sie_names_is_there_under_our_own_name_too(fresh: Sie) -> None:
    fresh.extract("word " * 2000)
    found = read(fresh)
    own = {(name, labels): value for (name, labels), value in found.items() if name.startswith("encoderfile_")}
    assert {key: value for key, value in found.items() if key[0].startswith("sie_")} == {
        (name.replace("encoderfile_", "sie_"), labels): value
        for (name, labels), value in own.items()
        if name not in OURS_ALONE
    }
    assert {name for name, _ in own} == {
        "encoderfile_requests_total",
        "encoderfile_request_duration_seconds_bucket",
        "encoderfile_request_duration_seconds_sum",
        "encoderfile_request_duration_seconds_count",
        "encoderfile_batch_size_bucket",
        "encoderfile_batch_size_sum",
        "encoderfile_batch_size_count",
        "encoderfile_tokens_processed_total",
        *OURS_ALONE,
        "encoderfile_queue_depth",
        "encoderfile_model_loaded",
        "encoderfile_model_memory_bytes",
    }


def test_every_family_has_help_and_type(fresh: Sie) -> None:
    lines = fresh.http.get("/metrics").text.splitlines()
    helped = {line.split()[2] for line in lines if line.startswith("# HELP")}
    typed = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    assert helped == typed
    named = {re.sub("_(bucket|sum|count)$", "", line.split("{")[0].split()[0]) for line in lines if line[0] != "#"}
    assert named <= typed


def test_phases_of_a_request_are_its_timing() -> None:
    metrics = metrics_of("m")
    with metrics.request("encode") as measured:
        measured.timing = Timing(tokenization=0.2, queue=0.3, inference=0.4)
    found = samples(page(metrics))
    for phase, seconds in (("tokenize", 0.2), ("queue", 0.3), ("inference", 0.4)):
        assert math.isclose(found["sie_request_duration_seconds_sum", ("m", "encode", phase)], seconds)
