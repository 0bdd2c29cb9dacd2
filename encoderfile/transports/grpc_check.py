"""A client of gRPC's health service, for `health`."""

from __future__ import annotations

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from encoderfile.errors import ConfigError


def check(target: str, seconds: float, certificate: bytes | None = None, name: str | None = None) -> None:
    """Returns if the server at `target` serves.

    With a `certificate` (PEM) over TLS, with a server that has it, for `name`. Raises `ConfigError` if it does not
    serve or has not answered within `seconds`.
    """
    if certificate is None:
        channel = grpc.insecure_channel(target)
    else:
        options = [("grpc.ssl_target_name_override", name)] if name else []
        channel = grpc.secure_channel(target, grpc.ssl_channel_credentials(certificate), options)
    with channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=seconds)
        except grpc.RpcError as error:
            raise ConfigError(f"not ready: {target} does not answer: {error.details()}") from error
    if answer.status != health_pb2.HealthCheckResponse.SERVING:
        raise ConfigError("not ready: the server does not accept requests")
