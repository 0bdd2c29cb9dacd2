"""TLS: one certificate serves HTTP, MCP and gRPC; clients without trust are turned away."""

import json
import ssl
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from support.files import BuiltFile, sentence
from support.tls import Pair, make_pair


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make_pair(tmp_path_factory.mktemp("tls"), "server")


@pytest.mark.proves("ENC Beyond the page", "TLS", here="For every protocol.")
def test_http_and_grpc_answer_over_tls(sentiment: BuiltFile, pair: Pair, clients: Any) -> None:
    trust = ssl.create_default_context(cafile=str(pair.cert))
    with sentiment.serve(*pair.flags) as server:
        assert server.url.startswith("https://")
        over_http = clients("http", server, "sentiment", verify=trust).predict(["good"])
        over_grpc = clients("grpc", server, "sentiment", root_certificates=pair.cert.read_bytes()).predict(["good"])
        assert over_http == over_grpc
        assert server.end() == 0


@pytest.mark.proves("ENC Beyond the page", "TLS")
def test_mcp_answers_over_tls(sentiment: BuiltFile, pair: Pair, clients: Any) -> None:
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    headers = {"accept": "application/json, text/event-stream"}
    trust = ssl.create_default_context(cafile=str(pair.cert))
    with sentiment.serve(*pair.flags) as server:
        client = clients("http", server, "sentiment", verify=trust)
        answer = client.request("POST", "/mcp", json=call, headers=headers)
        assert answer.json()["result"]["tools"][0]["name"] == "run_encoder"


@pytest.mark.proves("ENC Beyond the page", "TLS")
def test_a_client_without_trust_or_without_tls_is_turned_away(sentiment: BuiltFile, pair: Pair, clients: Any) -> None:
    with sentiment.serve(*pair.flags, "--log-format", "json") as server:
        with pytest.raises(httpx.ConnectError, match="certificate"):
            clients("http", server, "sentiment").get("/health")
        plain = clients("grpc", server, "sentiment")
        assert plain.refusal(["good"])[0] is grpc.StatusCode.UNAVAILABLE
        assert server.end() == 0
    for line in server.log:
        assert json.loads(line), "libraries keep to the log's form, or to themselves"


def test_a_key_of_another_certificate_is_refused(sentiment: BuiltFile, pair: Pair, tmp_path: Path) -> None:
    other = make_pair(tmp_path, "other")
    flags = ("--http-port", "0", "--grpc-port", "0", "--cert-file", pair.cert, "--key-file", other.key)
    assert f"{pair.cert} and {other.key} cannot serve TLS" in sentence(sentiment.run("serve", *flags))
