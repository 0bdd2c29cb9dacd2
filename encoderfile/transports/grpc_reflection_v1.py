"""Server reflection under its final name, `grpc.reflection.v1`.

The library serves `v1alpha` alone. The two differ in the package's name and in nothing on the wire, so the
library's servicer answers both; newer clients ask for v1 first.
"""

from __future__ import annotations

from collections.abc import Iterable

import grpc
import grpc.aio
from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_reflection.v1alpha import reflection, reflection_pb2

SERVICE_NAME = reflection.SERVICE_NAME.replace("v1alpha", "v1")


def enable(service_names: Iterable[str], server: grpc.aio.Server) -> None:
    """Registers the service, which lists `service_names`."""
    _describe_itself()
    servicer = reflection.aio.ReflectionServicer(service_names)
    handler = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(SERVICE_NAME, {"ServerReflectionInfo": handler}),)
    )


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
