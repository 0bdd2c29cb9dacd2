"""Server reflection, as `grpc.reflection.v1alpha` and under its final name, `grpc.reflection.v1`.

The library serves `v1alpha` alone. The two differ in the package's name and in nothing on the wire, so the
library's servicer answers both; newer clients ask for v1 first.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import grpc
import grpc.aio
from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_reflection.v1alpha import reflection, reflection_pb2

SERVICE_NAMES = (reflection.SERVICE_NAME.replace("v1alpha", "v1"), reflection.SERVICE_NAME)


class _Pool:
    """The pool of all messages, which finds the file of a method too: clients ask for it when they describe one."""

    def __init__(self) -> None:
        self._pool = descriptor_pool.Default()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)

    def FindFileContainingSymbol(self, symbol: str) -> Any:  # noqa: N802
        """Raises `KeyError`."""
        try:
            return self._pool.FindFileContainingSymbol(symbol)
        except KeyError:
            return self._pool.FindMethodByName(symbol).containing_service.file


def enable(service_names: Iterable[str], server: grpc.aio.Server) -> None:
    """Registers both services, which list `service_names`."""
    _describe_itself()
    servicer = reflection.aio.ReflectionServicer(service_names, _Pool())
    handler = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    handlers = (
        grpc.method_handlers_generic_handler(name, {"ServerReflectionInfo": handler}) for name in SERVICE_NAMES
    )
    server.add_generic_rpc_handlers(tuple(handlers))


def _describe_itself() -> None:
    """Puts the v1 file into the pool that reflection answers from; a second call changes nothing."""
    described = descriptor_pb2.FileDescriptorProto()
    reflection_pb2.DESCRIPTOR.CopyToProto(described)
    described.name = described.name.replace("v1alpha", "v1")
    described.package = described.package.replace("v1alpha", "v1")
    for message in described.message_type:
        for field in (each for each in message.field if each.type_name):
            field.type_name = field.type_name.replace("v1alpha", "v1")
    for service in described.service:
        for method in service.method:
            method.input_type = method.input_type.replace("v1alpha", "v1")
            method.output_type = method.output_type.replace("v1alpha", "v1")
    descriptor_pool.Default().AddSerializedFile(described.SerializeToString())
