"""MCP over HTTP: methods, hosts, origins, content types and sizes."""

from collections.abc import AsyncIterator

import pytest

from encoderfile.transports.http.middleware.origins import Browsers
from support.clients import HttpClient
from support.servers import Servers

LIST_TOOLS = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
TOO_LARGE = (413, "The body is larger than 1000 bytes; split the request")
HEADERS = {"accept": "application/json, text/event-stream", "mcp-protocol-version": "2025-06-18"}

OUR_HOSTS = ["127.0.0.1:8080", "localhost", "LOCALHOST:80", "[::1]:8080", "192.0.2.7"]
FOREIGN_HOSTS = [
    "evil.example",
    "evil.example:8080",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "",
    "[bad",
    "a b",
]
OUR_ORIGINS = ["http://localhost:3000", "http://127.0.0.1:6274", "https://localhost", "http://[::1]:1"]
FOREIGN_ORIGINS = [
    "http://evil.example",
    "https://127.0.0.1.evil.example",
    "http://localhost@evil.example",
    "http://203.0.113.5",
    "http://[::1",
    "file://",
    "null",
    "",
]


@pytest.fixture
def http(servers: Servers) -> HttpClient:
    client: HttpClient = servers.shared("http", "sentiment")
    return client


def post(http: HttpClient, **headers: str) -> tuple[int, str]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    response = http.request("POST", "/mcp", json=LIST_TOOLS, headers={**HEADERS, **named})
    if response.status_code != 200:
        assert response.headers["content-type"] == "text/plain; charset=utf-8"
    return response.status_code, response.text


@pytest.mark.proves("ENC MCP", "At `/mcp`, Streamable HTTP alone, on the HTTP server's port")
@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_a_stateless_server_takes_post_alone(method: str, http: HttpClient) -> None:
    response = http.request(method, "/mcp", headers=HEADERS)
    assert (response.status_code, response.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("host", OUR_HOSTS)
def test_addresses_and_this_machines_names_are_let_through(host: str, http: HttpClient) -> None:
    assert post(http, host=host)[0] == 200


@pytest.mark.proves("ENC Beyond the page", "Hosts and origins of web pages", here="Checked at `/mcp`.")
@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_a_foreign_host_is_421(host: str, http: HttpClient) -> None:
    assert post(http, host=host) == (421, f"The host {host!r} is not allowed here; see --allowed-host")


@pytest.mark.parametrize("origin", OUR_ORIGINS)
def test_pages_of_this_machine_are_let_through(origin: str, http: HttpClient) -> None:
    assert post(http, origin=origin)[0] == 200


@pytest.mark.proves("ENC Beyond the page", "Hosts and origins of web pages")
@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
def test_a_foreign_origin_is_403(origin: str, http: HttpClient) -> None:
    assert post(http, origin=origin) == (403, f"The origin {origin!r} is not allowed here; see --allowed-host")


def test_a_page_from_the_host_that_is_asked_is_let_through(http: HttpClient) -> None:
    assert post(http, host="192.0.2.7:8080", origin="http://192.0.2.7:3000")[0] == 200


@pytest.mark.proves("ENC Beyond the page", "Hosts and origins of web pages")
def test_an_allowed_host_is_let_through_as_host_and_as_origin(own: Servers) -> None:
    http = own.client("http", "sentiment", browsers=Browsers(allowed_hosts=("models.example",)))
    assert post(http, host="Models.example:443", origin="https://models.example")[0] == 200
    assert post(http, host="other.example")[0] == 421


@pytest.mark.parametrize("path", ["/health", "/model", "/openapi.json"])
def test_the_other_routes_ask_for_no_host(path: str, http: HttpClient) -> None:
    assert http.get(path, headers={"host": "evil.example", "origin": "http://evil.example"}).status_code == 200


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded"])
def test_another_content_type_is_415(content_type: str, http: HttpClient) -> None:
    assert post(http, content_type=content_type) == (415, "Expected request with `Content-Type: application/json`")


@pytest.mark.proves("ENC Beyond the page", "A body over the size limit")
def test_a_body_over_the_limit_is_413_and_the_next_is_answered(own: Servers) -> None:
    http = own.client("http", "sentiment", max_body_bytes=1000)
    response = http.request("POST", "/mcp", json={**LIST_TOOLS, "params": {"cursor": "x" * 1000}}, headers=HEADERS)
    assert (response.status_code, response.text) == TOO_LARGE
    assert post(http)[0] == 200


def test_a_body_in_chunks_over_the_limit_is_413_too(own: Servers) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b" " * 100

    http = own.client("http", "sentiment", max_body_bytes=1000)
    headers = {**HEADERS, "content-type": "application/json"}
    response = http.request("POST", "/mcp", content=chunks(), headers=headers)
    assert (response.status_code, response.text) == TOO_LARGE
    assert post(http)[0] == 200


def test_without_mcp_the_path_is_not_there(own: Servers) -> None:
    http = own.client("http", "sentiment", mcp=False)
    assert http.request("POST", "/mcp", json=LIST_TOOLS, headers=HEADERS).status_code == 404
