"""Every request is counted by its route and status, in a bounded number of series."""

import re
from typing import Any

import grpc
import grpc.aio
import pytest

from support.servers import Servers
from support.serving import grpc_server

SAMPLE = re.compile(r"^(\w+)\{(.*)\} (\S+)$", re.MULTILINE)
LABEL = re.compile(r'(\w+)="([^"]*)"')


def series(client: Any, name: str) -> dict[tuple[str, ...], float]:
    """The samples of a family: values of the labels, and the value."""
    found = SAMPLE.findall(client.get("/metrics").text)
    return {
        tuple(value for _, value in LABEL.findall(labels)): float(value)
        for each, labels, value in found
        if each == name
    }


def counts(client: Any) -> dict[tuple[str, ...], float]:
    return series(client, "http_server_request_duration_seconds_count")


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/health", ("GET", "/health", "200")),
        ("POST", "/predict", ("POST", "/predict", "415")),
        ("GET", "/nothing", ("GET", "", "404")),
        ("DELETE", "/model", ("DELETE", "/model", "405")),
        ("GET", "/v1/models/another", ("GET", "/v1/models/{model}", "404")),
        ("PROPFIND", "/model", ("_OTHER", "/model", "405")),
    ],
    ids=["answered", "refused", "unknown route", "wrong method", "a parameter in the path", "unknown method"],
)
def test_a_request_is_counted(method: str, path: str, expected: tuple[str, ...], own: Servers) -> None:
    client = own.client("http", "sentiment")
    client.request(method, path)
    client.request(method, path)
    assert counts(client)[expected] == 2


def test_clients_cannot_make_new_series(own: Servers) -> None:
    client = own.client("http", "sentiment")
    for index in range(20):
        client.get(f"/nothing/{index}")
        client.get(f"/v1/models/{index}")
        client.request("PROPFIND", "/")
    assert set(counts(client)) == {
        ("GET", "", "404"),
        ("GET", "/v1/models/{model}", "404"),
        ("_OTHER", "/", "405"),
    }


def test_a_request_in_flight_shows(own: Servers) -> None:
    client = own.client("http", "sentiment")
    assert "\nhttp_server_active_requests 1\n" in client.get("/metrics").text


def test_calls_are_counted_by_method_and_status(own: Servers) -> None:
    service = own.service("sentiment")
    calls, http = own.client("grpc", service), own.client("http", service)
    calls.predict(["a"])
    with pytest.raises(Exception, match="at least one"):
        calls.predict([])
    predict = "encoderfile.SequenceClassification/Predict"
    found = series(http, "rpc_server_call_duration_seconds_count")
    assert found == {(predict, "OK"): 1, (predict, "INVALID_ARGUMENT"): 1}


@pytest.mark.parametrize("key", [None, "secret"], ids=["open", "with a key"])
def test_callers_cannot_make_new_series(key: str | None, own: Servers) -> None:
    service = own.service("sentiment")
    _, address = own.enter(grpc_server(service, api_key=key))

    async def call() -> None:
        async with grpc.aio.insecure_channel(address) as channel:
            for index in range(5):
                for method in (
                    f"/encoderfile.S{index}/Predict",
                    f"/encoderfile.SequenceClassification/M{index}",
                    f"/grpc.health.v1.Health/M{index}",
                    f"/other.S{index}/M",
                ):
                    with pytest.raises(grpc.aio.AioRpcError):
                        await channel.unary_unary(method)(b"")

    own.portal.call(call)
    found = series(own.client("http", service), "rpc_server_call_duration_seconds_count")
    assert {method for method, _ in found} == {"_OTHER"}
    assert sum(found.values()) == 20


@pytest.mark.parametrize(
    ("path", "body"),
    [("/predict", {"inputs": ["a"]}), ("/v1/extract/sentiment", {"items": [{"text": "a"}]})],
    ids=["own", "another dialect"],
)
def test_an_answer_tells_how_long_its_phases_took(path: str, body: dict[str, Any], servers: Servers) -> None:
    client = servers.shared("http", "sentiment")
    answered = client.request("POST", path.replace("sentiment", client.get("/model").json()["model_id"]), json=body)
    told = dict(each.split(";dur=") for each in answered.headers["server-timing"].split(", "))
    assert list(told) == ["tokenize", "queue", "inference", "total"]
    phases = [float(told[name]) for name in ("tokenize", "queue", "inference")]
    assert 0 < sum(phases) <= float(told["total"])
    assert "server-timing" not in client.get("/model").headers
