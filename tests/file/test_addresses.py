"""`serve` on every kind of address, and on machines without IPv6."""

import socket
from typing import Any

import httpx
import pytest

from support.files import BuiltFile, namespace


@pytest.fixture
def ipv6() -> None:
    """Skips on machines without IPv6."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        pytest.skip(f"this machine has no IPv6: {error}")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "::1"])
def test_the_log_names_addresses_that_can_be_used_as_they_stand(
    host: str, ipv6: None, sentiment: BuiltFile, clients: Any
) -> None:
    with sentiment.serve("--http-hostname", host, "--grpc-hostname", host) as server:
        assert httpx.get(f"{server.url}/health").json() == "OK!"
        for way in ("http", "grpc", "mcp"):
            assert clients(way, server, "sentiment").predict(["good"]).results


@pytest.mark.proves("ENC gRPC", "On `[::]`, all interfaces, port 50051, unless told otherwise")
def test_the_default_addresses_will_do_without_ipv6(sentiment: BuiltFile) -> None:
    prefix = namespace("net", prepare="echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6")
    with sentiment.serve("--http-hostname", "0.0.0.0", "--grpc-hostname", "[::]", prefix=prefix) as server:
        assert server.end() == 0
