"""Every transport has a status of its own for every kind of failure."""

import pytest

from encoderfile.errors import Kind
from encoderfile.transports import grpc, mcp_tool
from encoderfile.transports.http import failures
from support.clients import Client, GrpcClient, HttpClient, McpClient


@pytest.mark.parametrize(
    ("table", "client"), [(failures.STATUS, HttpClient), (grpc.STATUS, GrpcClient), (mcp_tool.STATUS, McpClient)]
)
def test_the_table_covers_every_kind_as_promised(table: dict[Kind, object], client: type[Client]) -> None:
    assert set(client.kinds) == set(Kind)
    assert table == client.kinds
