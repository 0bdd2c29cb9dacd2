"""Behind a proxy that answers under a path: `--root-path`."""

from typing import Any

import pytest

from encoderfile.errors import ConfigError
from encoderfile.service.service import Service
from encoderfile.transports.http import app
from encoderfile.transports.http.ui.model import WaysIn
from support.servers import Servers

ROOT = "/models/sentiment"
BROWSER = {"accept": "text/html"}


@pytest.fixture
def client(own: Servers) -> Any:
    return own.client("http", "sentiment", root_path=ROOT)


@pytest.mark.parametrize("prefix", ["", ROOT], ids=["taken away", "left on"])
def test_both_kinds_of_proxy_are_answered(prefix: str, client: Any) -> None:
    assert client.request("POST", f"{prefix}/predict", json={"inputs": ["a"]}).status_code == 200
    assert client.get(f"{prefix}/health").status_code == 200
    assert client.get(f"{prefix}/v1/models").json()["data"]
    assert client.get(f"{prefix}/nothing").status_code == 404
    assert client.get(f"{prefix}/ui/base.css").status_code == 200
    assert client.get(f"{prefix}/ui", headers=BROWSER).status_code == 200


def test_probes_need_no_key_under_the_path_either(own: Servers) -> None:
    client = own.client("http", "sentiment", root_path=ROOT, api_key="secret")
    assert client.get(f"{ROOT}/healthz").status_code == 200
    assert client.get(f"{ROOT}/metrics").status_code == 401
    assert client.get("/metrics").status_code == 401


def test_mcp_is_under_the_path_too(client: Any) -> None:
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    accept = {"accept": "application/json, text/event-stream", "mcp-protocol-version": "2025-06-18"}
    assert client.request("POST", f"{ROOT}/mcp", json=message, headers=accept).json()["result"]["tools"]
    assert (
        client.request("POST", f"{ROOT}/mcp", json=message, headers={**accept, "host": "evil.example"}).status_code
        == 421
    )


def test_failures_are_in_the_words_of_their_dialect(client: Any) -> None:
    response = client.request("POST", f"{ROOT}/v1/embeddings", json={"input": 1})
    assert "message" in response.json()["error"]


def test_a_browser_is_sent_to_the_folder_where_the_pages_links_begin(client: Any) -> None:
    response = client.get(ROOT, headers=BROWSER)
    assert (response.status_code, response.headers["location"]) == (307, "sentiment/")
    assert client.get(f"{ROOT}/", headers=BROWSER).headers["content-type"].startswith("text/html")


def test_the_bare_path_is_the_root_for_programs(client: Any) -> None:
    assert client.request("POST", ROOT, json={"inputs": "a"}).status_code == 200
    assert client.get(ROOT).text == client.get("/").text


def test_a_longer_word_is_not_the_path(client: Any) -> None:
    assert client.get(f"{ROOT}s/health").status_code == 404


def test_the_document_says_where_the_server_is(client: Any, servers: Servers) -> None:
    assert client.get("/openapi.json").json()["servers"] == [{"url": ROOT}]
    assert "servers" not in servers.shared("http", "sentiment").get("/openapi.json").json()


@pytest.mark.parametrize("root_path", ["/v1", "/api", "/ui", "/v1/models", "/v1/encode/a", "/predict", "/ws"])
def test_a_path_that_begins_a_route_is_refused(root_path: str, servers: Servers) -> None:
    service: Service = servers.shared("service", "sentiment").service
    with pytest.raises(ConfigError, match=f"--root-path {root_path} is also where"):
        app.create(service, api_key=None, max_body_bytes=1, page=WaysIn(), root_path=root_path)


@pytest.mark.parametrize("root_path", ["/api/minilm", "/encoderfile", "/v1beta", "/a/b/c"])
def test_other_paths_are_taken(root_path: str, servers: Servers) -> None:
    service: Service = servers.shared("service", "sentiment").service
    assert app.create(service, api_key=None, max_body_bytes=1, page=WaysIn(), root_path=root_path)
