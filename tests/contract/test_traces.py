"""Traces by OTLP: which spans a request makes, whose trace they belong to, and what a collector at fault costs."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from encoderfile.errors import ConfigError
from encoderfile.service import otlp, spans
from encoderfile.types import ModelInfo
from support.collectors import Collector, over_grpc, over_http
from support.servers import Servers

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED, DROPPED = f"00-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-00"
PHASES = ["tokenize", "queue", "run"]
MODEL = ModelInfo("my-model", "1.2", "sequence_classification", None, 16)
PROTOCOLS = {"http/protobuf": over_http, "grpc": over_grpc}

Traced = Callable[..., Collector]


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> Iterator[Traced]:
    """Begins to send traces to a collector of a protocol, with more variables."""
    with ExitStack() as stack:

        def begin(protocol: str = "http/protobuf", **variables: str) -> Collector:
            collector = stack.enter_context(PROTOCOLS[protocol]())
            environment = {
                "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
                "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
                "OTEL_BSP_SCHEDULE_DELAY": "10",
                **variables,
            }
            for name, value in environment.items():
                monkeypatch.setenv(name, value)
            assert otlp.wanted(environment)
            found = spans.Spans(MODEL, environment)
            monkeypatch.setattr(spans, "exporting", found)
            stack.callback(found.close, 10)
            return collector

        yield begin


def texts(client: Any, **headers: str) -> Any:
    return client.request("POST", "/predict", json={"inputs": ["a", "b"]}, headers=headers)


def attributes(span: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_request_has_its_span_and_one_for_each_phase(protocol: str, servers: Servers, traced: Traced) -> None:
    collector = traced(protocol)
    response = texts(servers.shared("http", "sentiment"), **{"user-agent": "tests/1"})
    found = collector.spans(4)
    server = found["POST /predict"]
    assert list(found) == [*PHASES, "POST /predict"]
    told = attributes(server)
    assert told["http.request.method"] == "POST"
    assert told["http.route"] == told["url.path"] == "/predict"
    assert told["http.response.status_code"] == 200
    assert told["client.address"] == "127.0.0.1"
    assert told["user_agent.original"] == "tests/1"
    assert told["encoderfile.texts"] == 2
    assert server.kind == server.SPAN_KIND_SERVER
    assert server.trace_id.hex() == response.headers["x-trace-id"]
    assert server.parent_span_id == b""
    begun = server.start_time_unix_nano
    for name in PHASES:
        phase = found[name]
        assert (phase.trace_id, phase.parent_span_id) == (server.trace_id, server.span_id)
        assert attributes(phase)["encoderfile.texts"] == 2
        assert attributes(phase)["encoderfile.tokens"] == told["encoderfile.tokens"] > 2
        assert begun <= phase.start_time_unix_nano <= phase.end_time_unix_nano <= server.end_time_unix_nano
        begun = phase.end_time_unix_nano
    resource = collector.resources[0]
    assert (resource["service.name"], resource["service.version"]) == ("my-model", "1.2")
    assert resource["service.instance.id"]
    assert resource["telemetry.sdk.version"]


def test_the_callers_span_is_the_parent(servers: Servers, traced: Traced) -> None:
    collector = traced()
    response = texts(servers.shared("http", "sentiment"), traceparent=SAMPLED)
    server = collector.spans(4)["POST /predict"]
    assert (server.trace_id.hex(), server.parent_span_id.hex()) == (TRACE, SPAN)
    assert response.headers["x-trace-id"] == TRACE


def test_a_trace_that_the_caller_drops_is_dropped(servers: Servers, traced: Traced) -> None:
    collector = traced()
    client = servers.shared("http", "sentiment")
    texts(client, traceparent=DROPPED)
    kept = texts(client)
    assert collector.spans(4)["POST /predict"].trace_id.hex() == kept.headers["x-trace-id"]
    assert collector.is_empty


def test_a_trace_may_be_named_by_its_id_alone(servers: Servers, traced: Traced) -> None:
    collector = traced()
    texts(servers.shared("http", "sentiment"), **{"x-trace-id": TRACE})
    assert collector.spans(4)["POST /predict"].trace_id.hex() == TRACE


def test_a_call_over_grpc_has_its_spans(servers: Servers, traced: Traced) -> None:
    collector = traced()
    servers.shared("grpc", "sentiment").predict(["a", "b"])
    found = collector.spans(4)
    method = "encoderfile.SequenceClassification/Predict"
    told = attributes(found[method])
    assert list(found) == [*PHASES, method]
    assert (told["rpc.method"], told["rpc.response.status_code"]) == (method, "OK")
    assert told["rpc.system.name"] == "grpc"


def test_a_refusal_has_its_span_and_is_not_the_servers_fault(servers: Servers, traced: Traced) -> None:
    collector = traced()
    servers.shared("http", "sentiment").get("/nothing")
    span = collector.spans(1)["GET"]
    assert attributes(span)["http.response.status_code"] == 404
    assert span.status.code == span.status.STATUS_CODE_UNSET


def test_health_checks_have_none(servers: Servers, traced: Traced) -> None:
    collector = traced()
    client = servers.shared("http", "sentiment")
    client.get("/healthz")
    client.get("/model")
    assert list(collector.spans(1)) == ["GET /model"]


def test_a_sampler_is_followed(servers: Servers, traced: Traced) -> None:
    collector = traced(OTEL_TRACES_SAMPLER="parentbased_always_off")
    client = servers.shared("http", "sentiment")
    texts(client)
    texts(client, traceparent=SAMPLED)
    assert collector.spans(4)["POST /predict"].trace_id.hex() == TRACE
    assert collector.is_empty


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_headers_names_and_compression_are_followed(protocol: str, servers: Servers, traced: Traced) -> None:
    collector = traced(
        protocol,
        OTEL_EXPORTER_OTLP_HEADERS="x-tenant=me,authorization=Bearer%20a",
        OTEL_EXPORTER_OTLP_COMPRESSION="gzip",
        OTEL_SERVICE_NAME="named",
        OTEL_RESOURCE_ATTRIBUTES="deployment.environment=test",
    )
    texts(servers.shared("http", "sentiment"))
    collector.spans(4)
    assert collector.headers[0]["x-tenant"] == "me"
    assert collector.headers[0]["authorization"] == "Bearer a"
    assert collector.resources[0]["service.name"] == "named"
    assert collector.resources[0]["deployment.environment"] == "test"


def test_a_collector_that_is_gone_costs_no_answer(servers: Servers, traced: Traced) -> None:
    traced(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="http://127.0.0.1:9/v1/traces", OTEL_EXPORTER_OTLP_TIMEOUT="100")
    client = servers.shared("http", "sentiment")
    assert [texts(client).status_code for _ in range(20)] == [200] * 20


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://a:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": " "}, False),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://a"}, False),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://a"}, False),
        ({"OTEL_SERVICE_NAME": "a"}, False),
    ],
    ids=["nothing", "endpoint", "endpoint of traces", "empty", "exporter", "none", "disabled", "name alone"],
)
def test_traces_are_off_unless_asked_for(variables: dict[str, str], expected: bool) -> None:
    assert otlp.wanted(variables) == expected


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}, "only grpc and http/protobuf are known"),
        ({"OTEL_EXPORTER_OTLP_TIMEOUT": "soon"}, "is no number of milliseconds"),
        ({"OTEL_EXPORTER_OTLP_TIMEOUT": "-1"}, "is no number of milliseconds"),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "localhost:4318"},
            "OTEL_EXPORTER_OTLP_ENDPOINT is no address of a collector",
        ),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "ftp://a"}, "is no address of a collector"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://"}, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is no address"),
        ({"OTEL_EXPORTER_OTLP_CERTIFICATE": "/nowhere"}, "OTEL_EXPORTER_OTLP_CERTIFICATE=/nowhere does not exist"),
        ({"OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "99999"}, "cannot be followed"),
        ({"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "x"}, "cannot be followed"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "https://a", "SSL_CERT_FILE": ""}, "no certificates to trust"),
    ],
    ids=[
        "protocol",
        "timeout",
        "negative timeout",
        "no scheme",
        "another scheme",
        "no host",
        "certificate",
        "batch",
        "limit",
        "certificates",
    ],
)
def test_a_wrong_variable_is_an_error_at_the_start(
    variables: dict[str, str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pathlib.Path.is_file", lambda _: False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=message):
        spans.Spans(MODEL, variables)


def test_another_exporter_is_an_error() -> None:
    with pytest.raises(ConfigError, match="only otlp and none are known"):
        otlp.wanted({"OTEL_TRACES_EXPORTER": "zipkin"})


def test_a_method_of_nobodys_makes_no_name_of_its_own(servers: Servers, traced: Traced) -> None:
    collector = traced()
    servers.shared("http", "sentiment").request("PROPFIND", "/model")
    span = collector.spans(1)["HTTP /model"]
    told = attributes(span)
    assert (told["http.request.method"], told["http.request.method_original"]) == ("_OTHER", "PROPFIND")


def test_a_password_of_the_collector_is_not_shown() -> None:
    shown = otlp.shown_endpoint({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://user:p@ss@localhost:4318/a"})
    assert shown == "http://localhost:4318/a"


def test_the_address_of_grpc_may_be_a_host_and_a_port(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": "localhost:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert otlp.exporter(variables)
