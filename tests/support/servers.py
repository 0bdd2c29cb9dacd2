"""Services, servers and clients of the contract suite, on one event loop."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, ExitStack
from typing import Any, TypeVar

from anyio.from_thread import BlockingPortal

from encoderfile.model.model import Model
from encoderfile.service.limits import Limits
from encoderfile.service.service import Service
from support.clients import Client, ServiceClient, grpc_client, http_client, mcp_client
from support.model_types import folder_of, needed_by
from support.models import open_model
from support.serving import grpc_server, http_server, started

T = TypeVar("T")
S = TypeVar("S", bound=Service)

WAYS_IN = ("service", "http", "grpc", "mcp")
"""Every way to ask."""


class Servers:
    """Services, servers and clients on one event loop, closed in reverse order."""

    def __init__(self, portal: BlockingPortal, stack: ExitStack) -> None:
        self.portal = portal
        self._stack = stack
        self._shared: dict[tuple[str, str], Any] = {}

    def enter(self, context: AbstractAsyncContextManager[T]) -> T:
        """Enters `context` on the loop until these servers are closed."""
        return self._stack.enter_context(self.portal.wrap_async_context_manager(context))

    def service(self, model: str | Model = "sentiment", limits: Limits | None = None) -> Service:
        """A started service around a model, given by name or ready."""
        if isinstance(model, str):
            model = open_model(*folder_of(model))
        return self.serve(Service(model, limits or Limits()))

    def serve(self, service: S) -> S:
        """Starts a service that the test made."""
        self.enter(started(service))
        return service

    def client(self, way: str, service: Service | str | Model = "sentiment", **options: Any) -> Any:
        """A client of a server of its own; `options` are the server's."""
        if not isinstance(service, Service):
            service = self.service(service)
        if way == "service":
            return _needing(service, ServiceClient(self.portal, service))
        if way == "grpc":
            _, address = self.enter(grpc_server(service, **options))
            return _needing(service, self.enter(grpc_client(self.portal, address, service.info.model_type)))
        return self._client_of(way, self.enter(http_server(service, **options)), service)

    def _client_of(self, way: str, url: str, service: Service) -> Any:
        if way == "http":
            return _needing(service, self.enter(http_client(self.portal, url)))
        return _needing(service, self.enter(mcp_client(self.portal, f"{url}/mcp")))

    def shared(self, way: str, model: str) -> Any:
        """A client of the one server of a model, opened once: for tests that change nothing."""
        if way in ("http", "mcp"):
            service = self._shared_service(model)
            return self._once(way, model, lambda: self._client_of(way, self.url(model), service))
        return self._once(way, model, lambda: self.client(way, self._shared_service(model)))

    def url(self, model: str) -> str:
        """Where the one HTTP server of a model listens."""
        found: str = self._once("url", model, lambda: self.enter(http_server(self._shared_service(model))))
        return found

    def _shared_service(self, model: str) -> Service:
        found: Service = self._once("started", model, lambda: self.service(model))
        return found

    def _once(self, what: str, model: str, make: Callable[[], Any]) -> Any:
        if (what, model) not in self._shared:
            self._shared[what, model] = make()
        return self._shared[what, model]


def _needing(service: Service, client: Client) -> Client:
    """The client, which sends what requests to this model need."""
    client.needed = needed_by(type(service.task))
    return client


class Connect:
    """`connect("ner")` is a client of the way under test."""

    def __init__(self, way: str, shared: Servers, own: Servers) -> None:
        self.way = way
        self._shared_servers = shared
        self._own_servers = own

    def __call__(self, model: str | Model = "sentiment", limits: Limits | None = None) -> Client:
        client: Client
        if isinstance(model, str) and limits is None:
            client = self._shared_servers.shared(self.way, model)
        else:
            client = self._own_servers.client(self.way, self._own_servers.service(model, limits))
        return client
