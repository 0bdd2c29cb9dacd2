"""gRPC health: for the whole server and for each service, serving and draining."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from encoderfile.errors import QueueFullError
from encoderfile.transports.grpc import GrpcServer
from encoderfile.transports.grpc_health import MAX_OF_A_CONNECTION, MAX_WATCHERS, Health
from support.clients import PATIENCE, GrpcClient, RefusedError, grpc_client
from support.loop import in_loop
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


def test_list_names_every_service_and_its_status(grpc_: GrpcClient) -> None:
    stub = health_pb2_grpc.HealthStub(grpc_.channel)
    listed = grpc_.call(stub.List, health_pb2.HealthListRequest()).statuses
    assert {*NAMES, "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"} < set(listed)
    assert {each.status for each in listed.values()} == {SERVING}


class Watch:
    """An open call of `Watch`."""

    def __init__(self, client: GrpcClient, service: str = "") -> None:
        self._client = client
        self._call = client.portal.call(self._open, service)

    async def _open(self, service: str) -> Any:
        return health_pb2_grpc.HealthStub(self._client.channel).Watch(health_pb2.HealthCheckRequest(service=service))

    def next(self) -> Any:
        """The next status. Raises `RefusedError` when the server ends the call."""

        async def read() -> Any:
            try:
                async with asyncio.timeout(PATIENCE):
                    message = await self._call.read()
            except grpc.aio.AioRpcError as error:
                raise RefusedError(error.code(), error.details() or "") from error
            return message.status

        return self._client.portal.call(read)

    def leave(self) -> None:
        async def cancel() -> None:
            self._call.cancel()

        self._client.portal.call(cancel)


@pytest.fixture
def watched(own: Servers) -> tuple[Any, GrpcServer, GrpcClient]:
    """A service, its server and a client."""
    running = own.service("ner")
    server, address = own.enter(grpc_server(running))
    return running, server, own.enter(grpc_client(own.portal, address, running.info.model_type))


@pytest.mark.parametrize("service", NAMES)
def test_who_watches_is_told_each_change_and_then_that_the_server_stops(service: str, watched: Any) -> None:
    running, server, client = watched
    watch = Watch(client, service)
    assert watch.next() == SERVING
    client.portal.call(running.on_fault, True)
    assert watch.next() == NOT_SERVING
    client.portal.call(running.on_fault, False)
    assert watch.next() == SERVING
    client.portal.call(server.drain)
    assert watch.next() == NOT_SERVING
    client.portal.call(server.stop, PATIENCE)  # which returns, for nobody watches any more
    with pytest.raises(RefusedError) as ended:
        watch.next()
    assert ended.value.status is grpc.StatusCode.UNAVAILABLE


def test_a_server_that_stops_at_once_says_so_first(watched: Any) -> None:
    _, server, client = watched
    watch = Watch(client)
    assert watch.next() == SERVING
    client.portal.call(server.stop, PATIENCE)
    assert watch.next() == NOT_SERVING


def test_a_service_that_is_not_here_is_unknown_to_who_watches(watched: Any) -> None:
    _, _, client = watched
    watch = Watch(client, "nothing.of.ours")
    assert watch.next() == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


def test_a_connection_has_a_bounded_number_of_watchers_and_one_that_leaves_frees_its_place(watched: Any) -> None:
    _, _, client = watched
    watches = [Watch(client) for _ in range(MAX_OF_A_CONNECTION)]
    assert {watch.next() for watch in watches} == {SERVING}
    with pytest.raises(RefusedError) as refused:
        Watch(client).next()
    assert refused.value.status is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert status(client, "") == SERVING
    watches[0].leave()
    assert _eventually(lambda: Watch(client).next()) == SERVING


def _eventually(ask: Callable[[], Any]) -> Any:
    """The answer, once the server has noticed that somebody left."""
    while True:
        try:
            return ask()
        except RefusedError:
            pass


@in_loop
async def test_the_number_of_watchers_of_all_connections_is_bounded_too() -> None:
    health = Health()
    with ExitStack() as stack:
        for number in range(MAX_WATCHERS):
            stack.enter_context(health.watching(f"ipv4:{number}"))
        with pytest.raises(QueueFullError, match=f"at most {MAX_WATCHERS} calls of Watch"), health.watching("other"):
            pass
    with health.watching("other"):
        pass
