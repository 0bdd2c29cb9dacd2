"""One small interface over every way in: the service itself, HTTP, gRPC and MCP.

`predict` gives the answer in its JSON form, whichever wire it came over. Floats are float32 values, so that
answers of two wires can be compared with `==`. A refusal is the wire's own status and its sentence.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import grpc
import grpc.aio
import httpx
import numpy as np
from anyio.from_thread import BlockingPortal

from encoderfile.errors import EncoderfileError, Kind
from encoderfile.service.json_form import read_request
from encoderfile.service.service import Service
from encoderfile.tasks.results import to_json
from encoderfile.transports._pb import encoderfile_pb2 as pb
from encoderfile.transports._pb import encoderfile_pb2_grpc as stubs
from encoderfile.types import Prediction

PATIENCE = 30
"""Seconds after which a test that waits for an event has failed."""


@dataclass(frozen=True)
class Answer:
    """`body` is that of `POST /predict`; `truncated` is what the wire says beside it, where it can."""

    body: dict[str, Any]
    truncated: int = 0

    @property
    def results(self) -> list[dict[str, Any]]:
        results: list[dict[str, Any]] = self.body["results"]
        return results


class RefusedError(Exception):
    """The wire's own status and the sentence that came with it."""

    def __init__(self, status: object, sentence: str) -> None:
        super().__init__(status, sentence)
        self.status = status
        self.sentence = sentence


def exact(value: Any) -> Any:
    """The value with each float as the float32 that it stands for, so that `==` means the same bits."""
    if isinstance(value, float):
        return float(np.float32(value))
    if isinstance(value, dict):
        return {key: exact(each) for key, each in value.items()}
    if isinstance(value, list):
        return [exact(each) for each in value]
    return value


class Client(ABC):
    """A client of one server. Use from the test's thread; the wire lives on the portal's loop."""

    kinds: ClassVar[dict[Kind, object]]
    """The status in which this wire says each kind: written out here, not taken from the code under test."""
    tells_empty_metadata: ClassVar[bool] = True
    """Whether the wire can tell `{}` from nothing."""

    def __init__(self, portal: BlockingPortal) -> None:
        self.portal = portal
        self.needed: Mapping[str, Any] = {}
        """What every request has unless the test says it: `model_types.needed_by`."""

    @abstractmethod
    async def _ask(self, request: dict[str, Any]) -> Answer: ...

    def start(
        self,
        inputs: Sequence[Any],
        normalize: bool | None = None,
        metadata: dict[str, str] | None = None,
        **more: Any,
    ) -> Future[Answer]:
        """Sends a request and returns at once; cancelling the future hangs up. `more` are other fields."""
        request: dict[str, Any] = {"inputs": list(inputs), **self.needed, **more}
        if normalize is not None:
            request["normalize"] = normalize
        if metadata is not None:
            request["metadata"] = metadata
        return self.portal.start_task_soon(self._ask, request)

    def predict(
        self,
        inputs: Sequence[Any],
        normalize: bool | None = None,
        metadata: dict[str, str] | None = None,
        **more: Any,
    ) -> Answer:
        return self.start(inputs, normalize, metadata, **more).result(PATIENCE)

    def refusal(self, inputs: Sequence[Any], normalize: bool | None = None, **more: Any) -> tuple[object, str]:
        """The status and sentence of a request that must be refused."""
        return refusal_of(self.start(inputs, normalize, **more))

    def says(self, kind: Kind, sentence: str) -> tuple[object, str]:
        """What `refusal` gives when the server refuses as it should."""
        return self.kinds[kind], sentence


def refusal_of(future: Future[Answer]) -> tuple[object, str]:
    """The refusal a request met. Fails when it was answered."""
    error = future.exception(PATIENCE)
    assert isinstance(error, RefusedError), f"answered, or failed otherwise: {error!r}"
    return error.status, error.sentence


class ServiceClient(Client):
    """No wire: what every transport calls."""

    kinds: ClassVar = {kind: kind for kind in Kind}

    def __init__(self, portal: BlockingPortal, service: Service) -> None:
        super().__init__(portal)
        self.service = service

    async def _ask(self, request: dict[str, Any]) -> Answer:
        try:
            side = self.service.info.truncation_side
            prediction = await self.service.predict(read_request(request, self.service.task, side))
        except EncoderfileError as error:
            raise RefusedError(error.kind, str(error)) from error
        return Answer(plain(prediction), prediction.truncated_inputs)


def plain(prediction: Prediction[Any]) -> dict[str, Any]:
    """A prediction in its JSON form."""
    body = {"results": [_listed(to_json(each)) for each in prediction.results], "model_id": prediction.model_id}
    return body if prediction.metadata is None else {**body, "metadata": dict(prediction.metadata)}


def _listed(value: Any) -> Any:
    """The value with lists for arrays."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, dict):
        return {key: _listed(each) for key, each in value.items()}
    return [_listed(each) for each in value] if isinstance(value, list) else value


class HttpClient(Client):
    """`POST /predict`, and the raw client for what only HTTP has."""

    kinds: ClassVar = {
        Kind.INVALID_ARGUMENT: 422,
        Kind.UNAUTHENTICATED: 401,
        Kind.RESOURCE_EXHAUSTED: 503,
        Kind.UNAVAILABLE: 503,
        Kind.INTERNAL: 500,
        Kind.FAILED_PRECONDITION: 500,
    }

    def __init__(self, portal: BlockingPortal, http: httpx.AsyncClient) -> None:
        super().__init__(portal)
        self.http = http

    async def _ask(self, request: dict[str, Any]) -> Answer:
        response = await self.http.post("/predict", json=request)
        if response.status_code != 200:
            assert response.headers["content-type"] == "text/plain; charset=utf-8"
            raise RefusedError(response.status_code, response.text)
        assert response.headers["content-type"] == "application/json"
        return Answer(exact(response.json()), int(response.headers.get("x-truncated-inputs", 0)))

    def request(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        """One raw request."""

        async def send() -> httpx.Response:
            return await self.http.request(method, path, **kwargs)

        return self.portal.call(send)

    def get(self, path: str, **kwargs: Any) -> httpx.Response:
        return self.request("GET", path, **kwargs)

    def post(
        self, body: bytes | str, content_type: str | None = "application/json", path: str = "/predict"
    ) -> httpx.Response:
        """Posts bytes as they are."""
        return self.request(
            "POST", path, content=body, headers={} if content_type is None else {"content-type": content_type}
        )


class GrpcClient(Client):
    """The model type's own service, with the stubs that users generate."""

    kinds: ClassVar = {
        Kind.INVALID_ARGUMENT: grpc.StatusCode.INVALID_ARGUMENT,
        Kind.UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
        Kind.RESOURCE_EXHAUSTED: grpc.StatusCode.RESOURCE_EXHAUSTED,
        Kind.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
        Kind.INTERNAL: grpc.StatusCode.INTERNAL,
        Kind.FAILED_PRECONDITION: grpc.StatusCode.INTERNAL,
    }
    tells_empty_metadata = False

    def __init__(self, portal: BlockingPortal, channel: grpc.aio.Channel, model_type: str) -> None:
        super().__init__(portal)
        self.channel = channel
        name = "".join(word.title() for word in model_type.split("_"))
        self.stub = getattr(stubs, f"{name}Stub")(channel)
        self.message = getattr(pb, f"{name}Request")

    async def _ask(self, request: dict[str, Any]) -> Answer:
        fields = self.message.DESCRIPTOR.fields_by_name
        request = _with_pairs(request)
        message = self.message(**{name: value for name, value in request.items() if name in fields})
        call = self.stub.Predict(message)
        try:
            response = await call
            trailing = dict(await call.trailing_metadata())
        except grpc.aio.AioRpcError as error:
            raise RefusedError(error.code(), error.details() or "") from error
        return Answer(from_message(response), int(trailing.get("x-truncated-inputs", 0)))

    def call(
        self, method: Any, request: Any, metadata: Mapping[str, str] | None = None, timeout: float | None = None
    ) -> Any:
        """One unary call of any method; `timeout` is its deadline, in seconds. Raises `RefusedError`."""

        async def send() -> Any:
            try:
                return await method(request, metadata=tuple((metadata or {}).items()), timeout=timeout)
            except grpc.aio.AioRpcError as error:
                raise RefusedError(error.code(), error.details() or "") from error

        return self.portal.call(send)

    def stream(self, method: Any, requests: list[Any], metadata: Mapping[str, str] | None = None) -> list[Any]:
        """One call of a method that streams both ways. Raises `RefusedError`."""

        async def send() -> list[Any]:
            try:
                return [each async for each in method(iter(requests), metadata=tuple((metadata or {}).items()))]
            except grpc.aio.AioRpcError as error:
                raise RefusedError(error.code(), error.details() or "") from error

        return self.portal.call(send)


def _with_pairs(request: dict[str, Any]) -> dict[str, Any]:
    """Pairs of texts as the messages have them: the second ones in a field of their own."""
    inputs = request["inputs"]
    if all(isinstance(each, str) for each in inputs):
        return request
    pairs = [each["text_pair"] for each in inputs]
    return {**request, "inputs": [each["text"] for each in inputs], "text_pairs": pairs}


def from_message(response: Any) -> dict[str, Any]:
    """A response message in the JSON form, by the fields that it was published with."""
    body = _fields(response)
    return body if response.metadata else {name: each for name, each in body.items() if name != "metadata"}


def _fields(message: Any) -> dict[str, Any]:
    found = {}
    for field in message.DESCRIPTOR.fields:
        assert not field.has_presence or message.HasField(field.name), f"{field.full_name} is not set"
        value = getattr(message, field.name)
        if field.message_type is None:
            found[field.name] = list(value) if field.is_repeated else value
        elif field.message_type.GetOptions().map_entry:
            found[field.name] = dict(value)
        else:
            found[field.name] = [_fields(each) for each in value] if field.is_repeated else _fields(value)
    return found


class McpClient(Client):
    """The tool `run_encoder`, called with the official SDK's client over Streamable HTTP."""

    kinds: ClassVar = {
        Kind.INVALID_ARGUMENT: -32600,
        Kind.UNAUTHENTICATED: -32600,
        Kind.RESOURCE_EXHAUSTED: -32603,
        Kind.UNAVAILABLE: -32603,
        Kind.INTERNAL: -32603,
        Kind.FAILED_PRECONDITION: -32603,
    }

    def __init__(self, portal: BlockingPortal, session: Any) -> None:
        super().__init__(portal)
        self.session = session

    async def _ask(self, request: dict[str, Any]) -> Answer:
        from mcp.shared.exceptions import MCPError

        try:
            result = await self.session.call_tool("run_encoder", request)
        except MCPError as error:
            raise RefusedError(error.code, error.message) from error
        assert not result.is_error
        (content,) = result.content
        assert json.loads(content.text) == result.structured_content
        return Answer(exact(result.structured_content), (result.meta or {}).get("x-truncated-inputs", 0))


@asynccontextmanager
async def http_client(portal: BlockingPortal, url: str, **options: Any) -> AsyncIterator[HttpClient]:
    """A client of the HTTP server at `url`; `options` are httpx's."""
    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE, **options) as client:
        yield HttpClient(portal, client)


@asynccontextmanager
async def grpc_client(
    portal: BlockingPortal, address: str, model_type: str, root_certificates: bytes | None = None
) -> AsyncIterator[GrpcClient]:
    """A client of the gRPC server at `address`, over TLS where a root is given; takes answers of any size."""
    options = (("grpc.max_receive_message_length", -1),)
    if root_certificates is None:
        channel = grpc.aio.insecure_channel(address, options=options)
    else:
        channel = grpc.aio.secure_channel(address, grpc.ssl_channel_credentials(root_certificates), options=options)
    async with channel:
        yield GrpcClient(portal, channel, model_type)


@asynccontextmanager
async def mcp_client(portal: BlockingPortal, server: Any, mode: str = "auto") -> AsyncIterator[McpClient]:
    """The SDK's client of a URL, or of a command it starts; `mode` is the SDK's way to agree on a version."""
    from mcp import Client as SdkClient

    async with SdkClient(server, mode=mode, read_timeout_seconds=PATIENCE) as session:
        yield McpClient(portal, session)
