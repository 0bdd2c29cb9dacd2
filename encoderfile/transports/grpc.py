"""gRPC: the service of this file's model type, reflection, health, and v0.7.0's service names."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

# Before the import: the library otherwise writes lines of its own form between those of our log.
os.environ["GRPC_VERBOSITY"] = os.environ.get("GRPC_VERBOSITY", "NONE")

import grpc
import grpc.aio
from google.protobuf import descriptor_pool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health, health_pb2_grpc

from encoderfile.errors import EncoderfileError, InputError, InternalError, Kind
from encoderfile.service.cooperative import cooperatively
from encoderfile.service.large_answers import sending
from encoderfile.service.service import Service
from encoderfile.tasks import Task
from encoderfile.transports import grpc_reflections
from encoderfile.transports._pb import encoderfile_pb2 as pb
from encoderfile.transports._pb import v07  # noqa: F401 - makes its services known
from encoderfile.transports.auth import check_key
from encoderfile.transports.grpc_calls import CallInterceptor
from encoderfile.transports.grpc_health import NOT_SERVING, SERVING, Health
from encoderfile.transports.grpc_messages import Writer
from encoderfile.transports.grpc_requests import Requests
from encoderfile.types import DEFAULT_PROMPT, AskedPrompt, PredictRequest, Text

log = logging.getLogger(__name__)

STATUS: dict[Kind, grpc.StatusCode] = {
    Kind.INVALID_ARGUMENT: grpc.StatusCode.INVALID_ARGUMENT,
    Kind.UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
    Kind.RESOURCE_EXHAUSTED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Kind.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    Kind.INTERNAL: grpc.StatusCode.INTERNAL,
    Kind.FAILED_PRECONDITION: grpc.StatusCode.INTERNAL,
}
"""One status per kind; settings and model faults are INTERNAL, as the API page says of ConfigError."""


_Context = grpc.aio.ServicerContext[Any, Any]


def _methods(task: Task[Any]) -> Iterator[tuple[str, Any, Writer]]:
    """The service of the API page, then the one of v0.7.0 where that had the model type.

    Each with its name, the class of a request to `Predict`, and what writes the answers.
    """
    service = task.service()
    known = descriptor_pool.Default()
    for name in (f"{pb.DESCRIPTOR.package}.{service}", f"{pb.DESCRIPTOR.package}.{task.name}.{service}Inference"):
        with contextlib.suppress(KeyError):
            predict = known.FindServiceByName(name).methods_by_name["Predict"]
            yield name, GetMessageClass(predict.input_type), Writer(predict.output_type, task.result)


_PATIENCE = (
    ("grpc.server_handshake_timeout_ms", 20_000),
    ("grpc.max_connection_idle_ms", 65_000),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.max_concurrent_streams", 256),
    # What is sent ahead of being read would else grow with the speed of the line, for each stream.
    ("grpc.http2.bdp_probe", 0),
    ("grpc.max_metadata_size", 16 << 10),
    ("grpc.absolute_max_metadata_size", 64 << 10),
)
"""How long a connection may take to begin, to be without a call, to answer a ping; what it may send at a time."""


class GrpcServer:
    """A gRPC server around one service. Bind first, start when the model is there."""

    def __init__(self, *, api_key: str | None, max_body_bytes: int, max_connections: int = 1024) -> None:
        self._calls = CallInterceptor()
        self._server = grpc.aio.server(
            interceptors=[self._calls, *([_KeyInterceptor(api_key)] if api_key else [])],
            options=[
                # Without this a second server on a taken port starts in silence.
                ("grpc.so_reuseport", 0),
                ("grpc.max_receive_message_length", max_body_bytes),
                ("grpc.max_send_message_length", -1),
                ("grpc.max_allowed_incoming_connections", max_connections),
                *_PATIENCE,
            ],
        )
        self._health = Health()
        self._draining = False

    def bind(self, address: str, credentials: tuple[bytes, bytes] | None) -> int:
        """Takes the port and returns it; `credentials` are PEM key and certificate chain.

        Raises `RuntimeError` when the address is taken or wrong.
        """
        if credentials is None:
            return int(self._server.add_insecure_port(address))
        return int(self._server.add_secure_port(address, grpc.ssl_server_credentials([credentials])))

    async def start(self, service: Service) -> None:
        """Registers the model's service and begins to answer."""
        self._calls.metrics = service.metrics
        server: Any = Requests(self._server, _refuse)
        own = []
        for name, request, write in _methods(service.task):
            handlers = grpc.method_handlers_generic_handler(name, _handlers(service, request, write))
            server.add_generic_rpc_handlers((handlers,))
            own.append(name)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        served = (*own, health.SERVICE_NAME, *grpc_reflections.SERVICE_NAMES)
        grpc_reflections.enable(served, server)
        self._server.add_generic_rpc_handlers((_Others(own[0], service.task),))
        self._health.serve(served)
        await self._server.start()
        service.on_fault = self._fault

    async def drain(self) -> None:
        """Tells health checks that no new work is taken."""
        self._draining = True
        self._health.say(NOT_SERVING)

    async def stop(self, grace: float) -> None:
        """Closes the port; calls in flight have `grace` seconds."""
        self._health.end()
        await self._server.stop(grace)

    def _fault(self, lacks: bool) -> None:
        if not self._draining:
            self._health.say(NOT_SERVING if lacks else SERVING)


def _handlers(service: Service, request_type: type[Message], write: Writer) -> dict[str, Any]:
    async def predict(request: Any, context: _Context) -> bytes:
        with service.metrics.request("grpc") as answer:
            prediction = await answer.by(service.predict(_decode(request, service)))
            written = b"".join(await cooperatively(write(prediction)))
        if answer.headers:
            context.set_trailing_metadata(tuple(answer.headers.items()))
        return written

    async def metadata(_: Any, __: _Context) -> bytes:
        info = service.info
        return pb.GetModelMetadataResponse(
            model_id=info.model_id,
            model_type=info.model_type.upper(),
            id2label=dict(info.id2label or {}),
        ).SerializeToString()

    return {
        "Predict": _unary(predict, request_type),
        "GetModelMetadata": _unary(metadata, pb.GetModelMetadataRequest),
    }


def _unary(call: Callable[[Any, _Context], Awaitable[bytes]], request: type[Message]) -> Any:
    """A method that refuses in our words."""

    async def answer(message: Any, context: _Context) -> bytes:
        try:
            with sending():
                return await call(message, context)
        except EncoderfileError:
            raise
        except Exception as error:
            log.exception("a call failed")
            raise InternalError.unforeseen() from error

    return grpc.unary_unary_rpc_method_handler(answer, request.FromString)


async def _refuse(context: _Context, error: EncoderfileError) -> None:
    await context.abort(STATUS[error.kind], str(error))


def _decode(request: Any, service: Service) -> PredictRequest:
    return PredictRequest(
        _inputs(request), _options(request, service.task), dict(request.metadata), prompt=_prompt(request)
    )


def _options(request: Any, task: Task[Any]) -> dict[str, Any]:
    """Those that the request says; a field that cannot be absent always says something."""
    found = {}
    for option in type(task).options:  # those that this model does not have are refused by the task
        field = request.DESCRIPTOR.fields_by_name.get(option.name)
        if field is None or (field.has_presence and not request.HasField(option.name)):
            continue
        value = getattr(request, option.name)
        found[option.name] = list(value) if field.is_repeated else value
    return found


def _inputs(request: Any) -> list[Text]:
    pairs = getattr(request, "text_pairs", ())
    if not pairs:
        return list(request.inputs)
    if len(pairs) != len(request.inputs):
        raise InputError(f"text_pairs are {len(pairs)} and inputs {len(request.inputs)}: send one for each, or none")
    return list(zip(request.inputs, pairs, strict=True))


def _prompt(request: Any) -> AskedPrompt:
    fields = request.DESCRIPTOR.fields_by_name  # a classifier's has none of them, nor one of v0.7.0
    said = {
        name: getattr(request, name)
        for name in ("prompt", "prompt_name")
        if name in fields and request.HasField(name)
    }
    return AskedPrompt(said.get("prompt_name"), said.get("prompt")) if said else DEFAULT_PROMPT


class _KeyInterceptor(grpc.aio.ServerInterceptor):
    """Refuses calls without the key; health checks need none."""

    def __init__(self, key: str) -> None:
        self._key = key

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], details: grpc.HandlerCallDetails
    ) -> Any:
        handler = await continuation(details)
        if handler is None or details.method.startswith(f"/{health.SERVICE_NAME}/"):
            return handler
        try:
            check_key(self._key, _authorization(details.invocation_metadata))
        except EncoderfileError as error:
            return _refusal(STATUS[error.kind], str(error))
        return handler


def _authorization(metadata: Iterable[tuple[str, str | bytes]]) -> str | None:
    values = [value for name, value in metadata if name == "authorization"]
    return str(values[0]) if values else None


class _Others(grpc.GenericRpcHandler):
    """The services of other model types: they are not here, and the answer names the one that is."""

    def __init__(self, own: str, task: Task[Any]) -> None:
        self._refusal = _refusal(grpc.StatusCode.UNIMPLEMENTED, f"this model has the service {own}: {task.answer}")

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """Asked last, for methods that nobody else has."""
        return self._refusal if handler_call_details.method.startswith("/encoderfile.") else None


def _refusal(status: grpc.StatusCode, message: str) -> Any:
    """A handler that answers before it has read anything, whatever the method takes and gives."""

    async def refuse(_: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        await context.abort(status, message)
        yield  # makes this the generator that a streaming method must be

    return grpc.stream_stream_rpc_method_handler(refuse)
