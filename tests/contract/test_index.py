"""`/` says what this is and where its routes are; only to those who have the key, where there is one."""

import pytest

import encoderfile
from support.model_types import OF_EACH_TYPE, id_of
from support.servers import Servers


@pytest.mark.parametrize("name", OF_EACH_TYPE)
def test_a_terminal_gets_text_with_every_route(name: str, servers: Servers) -> None:
    client = servers.shared("http", name)
    response = client.get("/")
    assert (response.status_code, response.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    title, what, *_ = response.text.splitlines()
    assert title == f"{id_of(name)} {client.get('/openapi.json').json()['info']['version']}"
    assert what == f"{client.get('/model').json()['model_type']}, served by encoderfile {encoderfile.__version__}"
    lines = response.text.splitlines()
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        for method in set(methods) - {"parameters"}:
            assert path == "/" or f"{path}  {method.upper()}" in lines, path


def test_head_has_the_headers_of_get(servers: Servers) -> None:
    client = servers.shared("http", "ner")
    found, whole = client.request("HEAD", "/"), client.get("/")
    assert (found.status_code, found.content) == (200, b"")
    assert found.headers["content-length"] == whole.headers["content-length"]


def test_another_method_is_405(servers: Servers) -> None:
    response = servers.shared("http", "ner").request("DELETE", "/")
    assert (response.status_code, set(response.headers["allow"].split(", "))) == (405, {"GET", "HEAD", "POST"})


def test_with_a_key_nothing_is_told_without_it(module_servers: Servers) -> None:
    client = module_servers.client("http", "sentiment", api_key="secret")
    assert client.get("/").status_code == 401
    assert "model" not in client.get("/").text
    assert client.get("/", headers={"authorization": "Bearer secret"}).status_code == 200
