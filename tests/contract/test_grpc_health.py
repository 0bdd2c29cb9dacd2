"""gRPC health: for the whole server and for each service, serving and draining."""

from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from support.clients import GrpcClient, RefusedError, grpc_client
from support.servers import Servers
from support.serving import grpc_server

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
NAMES = ["", "encoderfile.TokenClassification", "encoderfile.token_classification.TokenClassificationInference"]


@pytest.fixture
def grpc_(servers: Servers) -> GrpcClient:
    client: GrpcClient = servers.shared("grpc", "ner")
    return client


def status(client: GrpcClient, service: str) -> Any:
    stub = health_pb2_grpc.HealthStub(client.channel)
    return client.call(stub.Check, health_pb2.HealthCheckRequest(service=service)).status


@pytest.mark.parametrize("service", NAMES)
def test_the_server_and_each_service_are_serving(service: str, grpc_: GrpcClient) -> None:
    assert status(grpc_, service) == SERVING


@pytest.mark.parametrize("service", ["encoderfile.Embedding", "nothing.of.ours"])
def test_a_service_that_is_not_here_is_not_found(service: str, grpc_: GrpcClient) -> None:
    with pytest.raises(RefusedError) as refused:
        status(grpc_, service)
    assert refused.value.status is grpc.StatusCode.NOT_FOUND


@pytest.mark.proves("ENC Beyond the page", "A full queue, a server that stops")
@pytest.mark.parametrize("service", NAMES)
def test_a_draining_server_says_so_of_everything(service: str, own: Servers) -> None:
    running = own.service("ner")
    server, address = own.enter(grpc_server(running))
    client = own.enter(grpc_client(own.portal, address, running.info.model_type))
    assert status(client, service) == SERVING
    own.portal.call(server.drain)
    assert status(client, service) == NOT_SERVING
