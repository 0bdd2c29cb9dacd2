"""MCP: the handshake of 2025-06-18 and of newer versions, and what the server says of itself."""

import json
from typing import Any

import pytest
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS

import encoderfile
from support.clients import HttpClient, McpClient, mcp_client
from support.servers import Servers

PROMISED = "2025-06-18"
ACCEPT = {"accept": "application/json, text/event-stream"}


@pytest.fixture
def http(servers: Servers) -> HttpClient:
    client: HttpClient = servers.shared("http", "sentiment")
    return client


def ask(
    http: HttpClient, method: str, params: dict[str, Any] | None = None, version: str = PROMISED
) -> dict[str, Any]:
    """One JSON-RPC request as plain HTTP; the whole answer."""
    body = {"jsonrpc": "2.0", "id": "n1", "method": method, "params": params or {}}
    headers = ACCEPT if method == "initialize" else {**ACCEPT, "mcp-protocol-version": version}
    response = http.request("POST", "/mcp", json=body, headers=headers)
    assert response.headers["content-type"] == "application/json"
    assert "mcp-session-id" not in response.headers
    answer: dict[str, Any] = response.json()
    assert (answer["jsonrpc"], answer["id"]) == ("2.0", "n1")
    return answer


def initialize(http: HttpClient, version: str) -> dict[str, Any]:
    params = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    result: dict[str, Any] = ask(http, "initialize", params)["result"]
    return result


@pytest.mark.proves("ENC MCP", "Protocol version 2025-06-18", here="And the newer ones, for clients that ask.")
@pytest.mark.parametrize("version", sorted({PROMISED, *HANDSHAKE_PROTOCOL_VERSIONS}))
def test_a_client_gets_the_version_it_asks_for(version: str, http: HttpClient) -> None:
    assert initialize(http, version)["protocolVersion"] == version


def test_a_version_nobody_knows_is_answered_with_one_that_is_known(http: HttpClient) -> None:
    assert initialize(http, "2099-12-31")["protocolVersion"] in HANDSHAKE_PROTOCOL_VERSIONS


@pytest.mark.proves("ENC MCP", "Capabilities: tools and nothing else", "Server info names the product and the model")
def test_the_server_has_tools_only_and_names_the_product_and_the_model(http: HttpClient) -> None:
    result = initialize(http, PROMISED)
    assert set(result["capabilities"]) == {"tools"}
    assert (result["serverInfo"]["name"], result["serverInfo"]["version"]) == ("encoderfile", encoderfile.__version__)
    assert result["serverInfo"]["title"] == "model 0.1.0"
    assert "POSITIVE" in result["instructions"]


@pytest.mark.proves(
    "ENC MCP",
    "At `/mcp`, Streamable HTTP alone, on the HTTP server's port",
    here="Also over stdio, and on a port of its own, with the command `mcp`.",
)
def test_requests_need_no_session(http: HttpClient) -> None:
    call = {"name": "run_encoder", "arguments": {"inputs": ["What a wonderful film!"]}}
    result = ask(http, "tools/call", call)["result"]
    assert result["structuredContent"]["results"][0]["predicted_label"] == "POSITIVE"


@pytest.mark.proves(
    "ENC Errors",
    "MCP: an error object with `code`, `message` and `data`",
    here="`code` is a number, and `data` is left out, because there is nothing to put in it.",
)
def test_a_refusal_is_an_error_object_with_its_code_and_sentence(http: HttpClient) -> None:
    answer = ask(http, "tools/call", {"name": "run_encoder", "arguments": {"inputs": [""]}})
    assert "result" not in answer
    error = answer["error"]
    assert (error.pop("code"), error.pop("message")) == (-32600, "Invalid input: empty text sequence (inputs[0])")
    assert error in ({}, {"data": None})


def test_a_notification_is_accepted_without_an_answer(http: HttpClient) -> None:
    body = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    response = http.request("POST", "/mcp", json=body, headers=ACCEPT)
    assert (response.status_code, response.content) == (202, b"")


def test_a_method_nobody_serves_is_not_found(http: HttpClient) -> None:
    assert ask(http, "resources/list")["error"]["code"] == -32601


@pytest.mark.proves("ENC Beyond the page", "Damaged messages")
@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"jsonrpc":"2.0","id":1,"method":"\\ud800"}', b"[]", b"7"])
def test_a_body_that_is_not_a_message_is_an_error_and_the_next_is_answered(body: bytes, http: HttpClient) -> None:
    response = http.request("POST", "/mcp", content=body, headers={**ACCEPT, "content-type": "application/json"})
    assert response.status_code == 400
    assert response.json()["error"]["code"] in (-32700, -32600, -32602)
    assert ask(http, "tools/list")["result"]["tools"]


@pytest.mark.proves("ENC MCP", "At `/mcp`, Streamable HTTP alone, on the HTTP server's port")
@pytest.mark.parametrize("mode", ["legacy", "auto", *MODERN_PROTOCOL_VERSIONS])
def test_the_official_client_is_answered_and_refused_in_every_mode(mode: str, own: Servers, servers: Servers) -> None:
    client: McpClient = own.enter(mcp_client(own.portal, f"{servers.url('sentiment')}/mcp", mode))
    assert client.predict(["good"]).body == servers.shared("service", "sentiment").predict(["good"]).body
    assert client.refusal([""]) == (-32600, "Invalid input: empty text sequence (inputs[0])")


@pytest.mark.proves("ENC MCP", "Protocol version 2025-06-18")
def test_the_official_client_agrees_on_the_newest_version_it_knows(servers: Servers) -> None:
    client: McpClient = servers.shared("mcp", "sentiment")
    assert client.session.protocol_version == max(MODERN_PROTOCOL_VERSIONS)


def test_the_official_client_takes_the_handshake_version_too(own: Servers, servers: Servers) -> None:
    client: McpClient = own.enter(mcp_client(own.portal, f"{servers.url('sentiment')}/mcp", "legacy"))
    assert client.session.protocol_version == max(HANDSHAKE_PROTOCOL_VERSIONS)


@pytest.mark.parametrize("version", HANDSHAKE_PROTOCOL_VERSIONS)
def test_tools_are_listed_and_called_in_every_version_with_a_handshake(version: str, http: HttpClient) -> None:
    initialize(http, version)
    names = [tool["name"] for tool in ask(http, "tools/list", version=version)["result"]["tools"]]
    assert names == ["run_encoder", "classify"]
    call = {"name": "classify", "arguments": {"texts": ["What a wonderful film!"]}}
    result = ask(http, "tools/call", call, version)["result"]
    assert json.loads(result["content"][0]["text"])["results"][0]["labels"][0]["label"] == "POSITIVE"


@pytest.mark.parametrize("version", MODERN_PROTOCOL_VERSIONS)
def test_tools_are_called_without_a_handshake_in_newer_versions(version: str, http: HttpClient) -> None:
    meta = {
        "io.modelcontextprotocol/protocolVersion": version,
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    call = {"name": "classify", "arguments": {"texts": ["What a wonderful film!"]}, "_meta": meta}
    headers = {**ACCEPT, "mcp-protocol-version": version, "mcp-method": "tools/call", "mcp-name": "classify"}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    result = http.request("POST", "/mcp", json=body, headers=headers).json()["result"]
    assert result["structuredContent"]["results"][0]["labels"][0]["label"] == "POSITIVE"
