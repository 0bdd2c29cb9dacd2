"""Pages of others in a browser: DNS rebinding, foreign origins, CORS."""

from typing import Any

import httpx
import pytest

from encoderfile.transports.http.middleware.origins import Browsers
from support.servers import Servers
from support.sockets import ClosedError, watching

LOOPBACK = Browsers(loopback_only=True)
ROUTES = ["/", "/health", "/model", "/metrics", "/openapi.json", "/ui", "/ui/base.css", "/v1/models", "/nothing"]
PAGE = "https://app.example"
PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}


def served(own: Servers, **options: Any) -> Any:
    return own.client("http", "sentiment", **options)


def texts(client: Any, **headers: str) -> httpx.Response:
    response: httpx.Response = client.request("POST", "/predict", json={"inputs": ["a"]}, headers=headers)
    return response


def test_on_loopback_a_foreign_host_is_refused_on_every_route(module_servers: Servers) -> None:
    client = served(module_servers, browsers=LOOPBACK)
    for path in ROUTES:
        response = client.get(path, headers={"host": "rebound.example:8080"})
        assert response.status_code == 421, path
        assert "rebound.example:8080" in response.text
        assert "--allowed-host" in response.text


def test_on_loopback_a_foreign_page_is_refused_on_every_route(module_servers: Servers) -> None:
    client = served(module_servers, browsers=LOOPBACK)
    for path in ROUTES:
        assert client.get(path, headers={"origin": PAGE}).status_code == 403, path
    assert texts(client, origin=PAGE).status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost", "model.localhost:8080", "[::1]"])
def test_on_loopback_this_machines_names_are_answered(host: str, own: Servers) -> None:
    client = served(own, browsers=LOOPBACK)
    assert texts(client, host=host, origin=f"http://{host}").status_code == 200


def test_refusals_are_in_the_words_of_the_routes_dialect(own: Servers) -> None:
    response = served(own, browsers=LOOPBACK).request(
        "POST", "/v1/embeddings", json={"input": "a"}, headers={"origin": PAGE}
    )
    assert response.status_code == 403
    assert PAGE in response.json()["error"]["message"]


def test_an_allowed_host_is_answered_on_every_route(own: Servers) -> None:
    client = served(own, browsers=Browsers(loopback_only=True, allowed_hosts=("models.example",)))
    assert texts(client, host="models.example", origin="https://models.example").status_code == 200
    assert texts(client, host="other.example").status_code == 421


def test_any_host_may_be_allowed(own: Servers) -> None:
    client = served(own, browsers=Browsers(loopback_only=True, allowed_hosts=("*",)))
    assert texts(client, host="whatever.example").status_code == 200
    assert texts(client, host="whatever.example", origin=PAGE).status_code == 403


def test_a_page_on_a_server_of_the_network_is_not_refused_for_its_host(servers: Servers) -> None:
    assert texts(servers.shared("http", "sentiment"), host="models.example", origin=PAGE).status_code == 200


def watch(client: Any, origin: str = "", named: str | None = None) -> dict[str, Any]:
    headers = [(b"origin", origin.encode())] if origin else []

    async def first() -> dict[str, Any]:
        async with watching(str(client.http.base_url), headers=headers, named=named) as watcher:
            return await watcher.frame()

    found: dict[str, Any] = client.portal.call(first)
    return found


def watched(own: Servers, browsers: Browsers | None) -> Any:
    return served(own) if browsers is None else served(own, browsers=browsers)


each_place = pytest.mark.parametrize("browsers", [None, LOOPBACK], ids=["everywhere", "loopback"])


@each_place
def test_a_foreign_page_may_not_watch_the_status(browsers: Browsers | None, own: Servers) -> None:
    with pytest.raises(ClosedError, match="403"):
        watch(watched(own, browsers), origin=PAGE)


def test_on_loopback_the_status_is_not_for_a_foreign_host(own: Servers) -> None:
    with pytest.raises(ClosedError, match="403"):
        watch(served(own, browsers=LOOPBACK), named="rebound.example")


@each_place
def test_the_status_is_for_clients_and_for_pages_from_here(browsers: Browsers | None, own: Servers) -> None:
    client = watched(own, browsers)
    assert watch(client)["ready"]
    assert watch(client, origin=str(client.http.base_url))["ready"]


def test_a_page_of_an_allowed_origin_may_watch_the_status(own: Servers) -> None:
    assert watch(served(own, browsers=Browsers(loopback_only=True, cors_origins=(PAGE,))), origin=PAGE)["ready"]


@pytest.mark.parametrize("loopback", [False, True], ids=["everywhere", "loopback"])
def test_an_allowed_origin_may_ask_and_read(loopback: bool, own: Servers) -> None:
    client = served(own, browsers=Browsers(cors_origins=(PAGE,), loopback_only=loopback), api_key="secret")
    asked = client.request("OPTIONS", "/predict", headers={"origin": PAGE, **PREFLIGHT})
    assert asked.status_code == 200
    assert asked.headers["access-control-allow-origin"] == PAGE
    assert "POST" in asked.headers["access-control-allow-methods"]
    assert asked.headers["access-control-allow-headers"] == "authorization,content-type"
    found = texts(client, origin=PAGE, authorization="Bearer secret")
    assert found.status_code == 200
    assert found.headers["access-control-allow-origin"] == PAGE
    assert found.headers["access-control-expose-headers"] == "*"
    assert "origin" in found.headers["vary"].lower()
    assert "access-control-allow-credentials" not in found.headers


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nothing", 404), ("DELETE", "/predict", 405), ("POST", "/predict", 401)]
)
def test_an_allowed_origin_may_read_refusals_too(method: str, path: str, status: int, own: Servers) -> None:
    client = served(own, browsers=Browsers(cors_origins=(PAGE,)), api_key="secret")
    headers = {"origin": PAGE} if status == 401 else {"origin": PAGE, "authorization": "Bearer secret"}
    response = client.request(method, path, headers=headers)
    assert response.status_code == status
    assert response.headers["access-control-allow-origin"] == PAGE


def test_an_allowed_origin_may_read_that_a_body_was_too_large(own: Servers) -> None:
    client = served(own, browsers=Browsers(cors_origins=(PAGE,)), max_body_bytes=100)
    response = client.request("POST", "/predict", json={"inputs": ["x" * 200]}, headers={"origin": PAGE})
    assert (response.status_code, response.headers["access-control-allow-origin"]) == (413, PAGE)


def test_another_origin_may_not_read(own: Servers) -> None:
    client = served(own, browsers=Browsers(cors_origins=(PAGE,)))
    asked = client.request("OPTIONS", "/predict", headers={"origin": "https://other.example", **PREFLIGHT})
    assert asked.status_code == 400
    assert "access-control-allow-origin" not in asked.headers
    assert "access-control-allow-origin" not in texts(client, origin="https://other.example").headers


def test_any_origin_may_be_allowed(own: Servers) -> None:
    client = served(own, browsers=Browsers(cors_origins=("*",), loopback_only=True))
    assert texts(client, origin=PAGE).headers["access-control-allow-origin"] == "*"
    assert texts(client, origin="null").status_code == 200


def test_without_an_allowed_origin_nothing_is_said_of_origins(servers: Servers) -> None:
    client = servers.shared("http", "sentiment")
    asked = client.request("OPTIONS", "/predict", headers={"origin": PAGE, **PREFLIGHT})
    assert asked.status_code == 405
    assert not [each for each in (*asked.headers, *texts(client, origin=PAGE).headers) if each.startswith("access-")]


def test_an_allowed_origin_may_use_mcp(own: Servers) -> None:
    client = served(own, browsers=Browsers(cors_origins=(PAGE,)))
    asked = client.request("OPTIONS", "/mcp", headers={"origin": PAGE, **PREFLIGHT})
    assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (200, PAGE)
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    accept = {"accept": "application/json, text/event-stream", "mcp-protocol-version": "2025-06-18"}
    told = client.request("POST", "/mcp", json=message, headers={**accept, "origin": PAGE})
    assert (told.status_code, told.headers["access-control-allow-origin"]) == (200, PAGE)


def test_an_allowed_origin_may_read_that_the_host_is_not_allowed(own: Servers) -> None:
    client = served(own, browsers=Browsers(cors_origins=(PAGE,), loopback_only=True))
    response = texts(client, origin=PAGE, host="another.example")
    assert (response.status_code, response.headers["access-control-allow-origin"]) == (421, PAGE)
