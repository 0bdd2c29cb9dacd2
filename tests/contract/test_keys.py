"""With an API key nobody without it is answered, except health checks."""

from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from encoderfile.transports._pb import encoderfile_pb2 as pb
from support.clients import GrpcClient, HttpClient, RefusedError
from support.servers import Servers

KEY = "s3cret key"
SENTENCE = "a valid key is needed: send the header `Authorization: Bearer KEY`"
WRONG = {
    "none": None,
    "empty": "",
    "another": "Bearer wrong",
    "the scheme alone": "Bearer",
    "a part": "Bearer s3cret",
    "more than it": f"Bearer {KEY} and more",
    "without the scheme": KEY,
    "another scheme": f"Basic {KEY}",
}
RIGHT = [f"Bearer {KEY}", f"bearer {KEY}"]
LIST_TOOLS = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


@pytest.fixture(scope="module")
def http(module_servers: Servers) -> HttpClient:
    client: HttpClient = module_servers.client("http", "sentiment", api_key=KEY)
    return client


@pytest.fixture(scope="module")
def grpc_(module_servers: Servers) -> GrpcClient:
    client: GrpcClient = module_servers.client("grpc", "sentiment", api_key=KEY)
    return client


def header(authorization: str | None) -> dict[str, str]:
    return {} if authorization is None else {"authorization": authorization}


@pytest.mark.proves(
    "ENC Beyond the page",
    "An API key",
    here="`--api-key`: 401, `UNAUTHENTICATED`; health is open.",
)
@pytest.mark.parametrize("authorization", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/predict"), ("GET", "/model"), ("GET", "/openapi.json"), ("POST", "/mcp"), ("GET", "/nowhere")],
)
def test_http_and_mcp_refuse_another_key(method: str, path: str, authorization: str | None, http: HttpClient) -> None:
    response = http.request(method, path, json={"inputs": ["a"]}, headers=header(authorization))
    assert (response.status_code, response.text) == (401, SENTENCE)
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("authorization", RIGHT)
def test_http_answers_with_the_key(authorization: str, http: HttpClient) -> None:
    headers = header(authorization)
    assert http.request("POST", "/predict", json={"inputs": ["a"]}, headers=headers).status_code == 200
    assert http.get("/model", headers=headers).status_code == 200


def test_mcp_answers_with_the_key(http: HttpClient) -> None:
    headers = {**header(RIGHT[0]), "accept": "application/json, text/event-stream"}
    answer = http.request("POST", "/mcp", json=LIST_TOOLS, headers=headers)
    assert (answer.status_code, answer.json()["result"]["tools"][0]["name"]) == (200, "run_encoder")


@pytest.mark.proves("ENC Beyond the page", "An API key")
def test_http_health_needs_no_key(http: HttpClient) -> None:
    assert http.get("/health").content == b'"OK!"'


@pytest.mark.proves("ENC Beyond the page", "An API key")
@pytest.mark.parametrize("authorization", WRONG.values(), ids=WRONG)
def test_grpc_refuses_another_key(authorization: str | None, grpc_: GrpcClient) -> None:
    for method, request in (
        (grpc_.stub.Predict, pb.SequenceClassificationRequest(inputs=["a"])),
        (grpc_.stub.GetModelMetadata, pb.GetModelMetadataRequest()),
    ):
        with pytest.raises(RefusedError) as refused:
            grpc_.call(method, request, header(authorization))
        assert (refused.value.status, refused.value.sentence) == (grpc.StatusCode.UNAUTHENTICATED, SENTENCE)


def test_grpc_reflection_refuses_another_key(grpc_: GrpcClient) -> None:
    stub = reflection_pb2_grpc.ServerReflectionStub(grpc_.channel)
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    with pytest.raises(RefusedError) as refused:
        grpc_.stream(stub.ServerReflectionInfo, [request])
    assert (refused.value.status, refused.value.sentence) == (grpc.StatusCode.UNAUTHENTICATED, SENTENCE)
    assert grpc_.stream(stub.ServerReflectionInfo, [request], header(RIGHT[0]))


@pytest.mark.parametrize("authorization", RIGHT)
def test_grpc_answers_with_the_key(authorization: str, grpc_: GrpcClient) -> None:
    request: Any = pb.SequenceClassificationRequest(inputs=["a"])
    assert len(grpc_.call(grpc_.stub.Predict, request, header(authorization)).results) == 1


@pytest.mark.proves("ENC Beyond the page", "An API key")
def test_grpc_health_needs_no_key(grpc_: GrpcClient) -> None:
    stub = health_pb2_grpc.HealthStub(grpc_.channel)
    answer = grpc_.call(stub.Check, health_pb2.HealthCheckRequest())
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
