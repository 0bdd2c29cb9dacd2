"""Every transport has a status of its own for every kind of failure."""

import pytest

from encoderfile.errors import Kind
from encoderfile.transports import grpc, mcp_server
from encoderfile.transports.http import failures
from support.clients import Client, GrpcClient, HttpClient, McpClient


@pytest.mark.proves("ENC HTTP", "Errors have an HTTP status and a message")
@pytest.mark.proves(
    "ENC gRPC",
    "`INVALID_ARGUMENT` where HTTP answers 422",
    "`INTERNAL` where HTTP answers 500, configuration errors included",
)
@pytest.mark.proves(
    "ENC Errors",
    "`InputError`: 422, `INVALID_ARGUMENT`, `INVALID_REQUEST`",
    here="MCP's codes are JSON-RPC's numbers: -32600.",
)
@pytest.mark.proves(
    "ENC Errors",
    "`InternalError`: 500, `INTERNAL`, `INTERNAL_ERROR`",
    here="MCP's codes are JSON-RPC's numbers: -32603.",
)
@pytest.mark.proves(
    "ENC Errors",
    "`ConfigError`: 500, `INTERNAL`, `INTERNAL_ERROR`",
    here="Settings are checked before anything is served, so no client meets it.",
)
@pytest.mark.parametrize(
    ("table", "client"), [(failures.STATUS, HttpClient), (grpc.STATUS, GrpcClient), (mcp_server.STATUS, McpClient)]
)
def test_the_table_covers_every_kind_as_promised(table: dict[Kind, object], client: type[Client]) -> None:
    assert set(client.kinds) == set(Kind)
    assert table == client.kinds
