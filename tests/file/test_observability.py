"""What a person who runs a file can see of it: metrics on their own port, the access log, traces."""

import json
import re
import socket
from pathlib import Path

import httpx
import pytest

from support.collectors import over_grpc, over_http
from support.files import BuiltFile, Server, sentence
from support.tls import make_pair

LOOPBACK = ("--http-hostname", "127.0.0.1", "--grpc-hostname", "127.0.0.1")


def metrics_of(server: Server) -> str:
    """Where metrics are."""
    found = re.search(r"Metrics on (\S+)/metrics", server.text)
    assert found is not None, server.text
    return found[1]


def test_metrics_have_a_port_of_their_own_and_need_no_key(sentiment: BuiltFile) -> None:
    with sentiment.serve("--metrics-port", "0", "--api-key", "secret", *LOOPBACK) as server:
        metrics = metrics_of(server)
        assert "encoderfile_queue_depth" in httpx.get(f"{metrics}/metrics").text
        assert httpx.get(f"{metrics}/readyz").text == "ok"
        assert httpx.get(f"{metrics}/predict").status_code == 404
        assert httpx.get(f"{metrics}/metrics", headers={"host": "rebound.example"}).status_code == 421
        key = {"authorization": "Bearer secret"}
        assert httpx.get(f"{server.url}/metrics", headers=key).status_code == 404
        assert "/metrics" not in httpx.get(f"{server.url}/openapi.json", headers=key).json()["paths"]
        assert httpx.get(f"{server.url}/readyz").text == "ok"
        assert server.end() == 0


def test_metrics_are_there_without_http(sentiment: BuiltFile) -> None:
    with sentiment.serve("--metrics-port", "0", "--disable-http", "--metrics-hostname", "127.0.0.1") as server:
        assert "rpc_server_call_duration_seconds" in httpx.get(f"{metrics_of(server)}/metrics").text
        assert server.end() == 0


def test_a_taken_port_for_metrics_is_named(sentiment: BuiltFile) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        free = ("--http-port", "0", "--grpc-port", "0", *LOOPBACK)
        reason = sentence(sentiment.run("serve", *free, "--metrics-port", port))
    assert reason.startswith(f"the HTTP server cannot use 127.0.0.1:{port}: Address already in use")
    assert "choose another --metrics-port" in reason


def test_an_address_for_metrics_needs_a_port(sentiment: BuiltFile) -> None:
    done = sentiment.run("serve", "--metrics-hostname", "127.0.0.1")
    assert done.returncode == 2
    assert "--metrics-hostname does nothing without --metrics-port" in done.stderr


@pytest.mark.parametrize("given", [("--access-log",), ("--access-log", "text")], ids=["bare", "text"])
def test_the_access_log_is_for_people(given: tuple[str, ...], sentiment: BuiltFile) -> None:
    with sentiment.serve(*given, *LOOPBACK) as server:
        httpx.get(f"{server.url}/nothing")
        assert server.end() == 0
    assert re.search(r"127\.0\.0\.1:\d+ GET /nothing 404 \d+\.\d ms 9 bytes trace [0-9a-f]{32}\n", server.text)


def test_the_access_log_is_for_programs(sentiment: BuiltFile) -> None:
    with sentiment.serve("--log-format", "json", *LOOPBACK, env={"ENCODERFILE_ACCESS_LOG": "1"}) as server:
        httpx.post(f"{server.url}/predict", json={"inputs": ["a", "b"]})
        assert server.end() == 0
    (line,) = [each for each in map(json.loads, server.log) if each["logger"] == "encoderfile.access"]
    assert (line["method"], line["route"], line["status"], line["texts"]) == ("POST", "/predict", 200, 2)


def test_without_it_requests_are_not_logged(sentiment: BuiltFile) -> None:
    with sentiment.serve(*LOOPBACK, env={"ENCODERFILE_ACCESS_LOG": "0"}) as server:
        httpx.get(f"{server.url}/nothing")
        assert server.end() == 0
    assert "/nothing" not in server.text


def test_traces_go_over_http_where_the_variables_say_so(sentiment: BuiltFile) -> None:
    with over_http() as collector:
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
        with sentiment.serve(*LOOPBACK, env=variables) as server:
            httpx.post(f"{server.url}/predict", json={"inputs": ["a"]})
            assert server.end() == 0  # which sends what is left
        assert set(collector.spans(4)) == {"POST /predict", "tokenize", "queue", "run"}


def test_traces_go_over_grpc_as_the_flags_of_07_say(sentiment: BuiltFile) -> None:
    with over_grpc() as collector:
        with sentiment.serve(*LOOPBACK, "--enable-otel", "--otel-exporter-url", collector.url) as server:
            httpx.post(f"{server.url}/predict", json={"inputs": ["a"]})
            assert server.end() == 0
        assert set(collector.spans(4)) == {"POST /predict", "tokenize", "queue", "run"}


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
@pytest.mark.parametrize(
    "variable", ["OTEL_EXPORTER_OTLP_CERTIFICATE", "SSL_CERT_FILE"], ids=["named", "the machine's"]
)
def test_a_collector_over_tls_is_trusted_by_its_certificate(
    variable: str, protocol: str, sentiment: BuiltFile, tmp_path: Path
) -> None:
    ours, other = make_pair(tmp_path, "collector"), make_pair(tmp_path, "other")
    with over_http(pair=ours) if protocol == "http/protobuf" else over_grpc(ours) as collector:
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
            "REQUESTS_CA_BUNDLE": str(other.cert),  # which `requests` would believe rather than its caller
            variable: str(ours.cert),
        }
        with sentiment.serve(*LOOPBACK, env=variables) as server:
            httpx.post(f"{server.url}/predict", json={"inputs": ["a"]})
            assert server.end() == 0
        assert set(collector.spans(4)) == {"POST /predict", "tokenize", "queue", "run"}


def test_the_address_of_07s_flag_will_do_for_http_too(sentiment: BuiltFile) -> None:
    variables = {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", "OTEL_EXPORTER_OTLP_ENDPOINT": ""}
    with over_http() as collector:
        with sentiment.serve(*LOOPBACK, "--otel-exporter-url", collector.url, env=variables) as server:
            httpx.post(f"{server.url}/predict", json={"inputs": ["a"]})
            assert server.end() == 0
        assert set(collector.spans(4)) == {"POST /predict", "tokenize", "queue", "run"}


def test_an_empty_address_is_none_and_the_flag_is_followed(sentiment: BuiltFile) -> None:
    with sentiment.serve(*LOOPBACK, "--enable-otel", env={"OTEL_EXPORTER_OTLP_ENDPOINT": ""}) as server:
        assert "traces go to http://localhost:4317" in server.text
        assert server.end() == 0


def test_traces_that_are_switched_off_are_told(sentiment: BuiltFile) -> None:
    with sentiment.serve(*LOOPBACK, "--enable-otel", env={"OTEL_SDK_DISABLED": "true"}) as server:
        assert "no traces are sent" in server.text
        assert server.end() == 0


def test_a_collector_that_is_gone_keeps_nothing_up(sentiment: BuiltFile) -> None:
    with sentiment.serve(*LOOPBACK, env={"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}) as server:
        assert httpx.post(f"{server.url}/predict", json={"inputs": ["a"]}).status_code == 200
        assert server.end() == 0


def test_a_wrong_variable_is_told_before_anything_is_served(sentiment: BuiltFile) -> None:
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}
    done = sentiment.run("serve", "--http-port", "0", "--grpc-port", "0", *LOOPBACK, env=variables)
    assert sentence(done) == "OTEL_EXPORTER_OTLP_PROTOCOL=http/json: only grpc and http/protobuf are known"
