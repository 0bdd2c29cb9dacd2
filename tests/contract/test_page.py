"""The page for people: who gets it, under which policy, and what its files may load."""

import re
from dataclasses import replace

import httpx
import pytest

from encoderfile.model.model import Model
from encoderfile.types import Example
from support.kinds import KINDS
from support.models import open_model
from support.servers import Servers

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PAGES = ("/", "/ui", "/docs")
REFERENCE = re.compile(r"""(?:src|href)\s*=\s*["']?([^"'\s>]+)""")
INLINE = re.compile(r"<script(?![^>]*\bsrc=)|<style|\bstyle\s*=|\bon[a-z]+\s*=\s*[\"']|javascript:", re.IGNORECASE)

each_page = pytest.mark.parametrize("path", PAGES)


def get(servers: Servers, path: str, *, key: str | None = None, **headers: str) -> httpx.Response:
    client = servers.client("http", "sentiment", api_key=key) if key else servers.shared("http", "sentiment")
    response: httpx.Response = client.request("GET", path, headers={**BROWSER, **headers})
    return response


def loaded_by(page: str) -> list[str]:
    return [each for each in REFERENCE.findall(page) if each.startswith("ui/")]


@each_page
def test_a_browser_gets_a_page(path: str, servers: Servers) -> None:
    response = get(servers, path)
    assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert response.text.startswith("<!DOCTYPE html>")


@each_page
def test_a_page_comes_with_a_policy_that_lets_nothing_in_from_elsewhere(path: str, servers: Servers) -> None:
    headers = get(servers, path).headers
    policy = dict(each.strip().split(" ", 1) for each in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


@each_page
def test_a_page_has_no_script_and_no_style_in_line(path: str, servers: Servers) -> None:
    assert not INLINE.search(get(servers, path).text)


@each_page
def test_what_a_page_loads_comes_from_this_server(path: str, servers: Servers) -> None:
    text = get(servers, path).text
    assert not [each for each in REFERENCE.findall(text) if each.startswith(("http:", "https:", "//", "/"))]
    for name in loaded_by(text):
        response = get(servers, f"/{name}")
        assert response.status_code == 200, name
        assert response.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"], ids=["alone", "weak", "among others", "any"])
@pytest.mark.parametrize("path", [*PAGES, "/ui/base.css"])
def test_a_file_that_the_browser_has_is_not_sent_again(path: str, form: str, servers: Servers) -> None:
    first = get(servers, path)
    again = get(servers, path, **{"If-None-Match": form.format(first.headers["etag"])})
    assert (again.status_code, again.content) == (304, b"")
    for name in ("etag", "cache-control", "content-security-policy", "vary"):
        assert again.headers.get(name) == first.headers.get(name), name


@pytest.mark.parametrize("form", ['"other"', "", "W/", '"', "{}x", 'W/W/"a"'])
def test_a_file_that_has_changed_is_sent(form: str, servers: Servers) -> None:
    tag = get(servers, "/ui/base.css").headers["etag"]
    assert get(servers, "/ui/base.css", **{"If-None-Match": form.format(tag)}).status_code == 200


@pytest.mark.parametrize("path", [*PAGES, "/ui/base.css"])
def test_head_gives_the_headers_alone(path: str, servers: Servers) -> None:
    whole, head = (
        servers.shared("http", "sentiment").request(each, path, headers=BROWSER) for each in ("GET", "HEAD")
    )
    assert head.status_code == 200
    for name in ("content-type", "content-length", "etag", "content-security-policy"):
        assert head.headers[name] == whole.headers[name], name


def test_a_cache_keeps_the_page_and_the_text_of_the_same_address_apart(servers: Servers) -> None:
    assert get(servers, "/").headers["vary"] == "Accept"
    assert servers.shared("http", "sentiment").get("/").headers["vary"] == "Accept"


def test_files_beside_the_pages_are_not_served(servers: Servers) -> None:
    for path in ("/ui/files.py", "/ui/page.html", "/ui/../app.py", "/ui/%2e%2e/app.py", "/ui/static/base.css"):
        assert get(servers, path).status_code == 404, path


@each_page
def test_with_a_key_the_pages_are_open_and_what_they_show_is_not(path: str, own: Servers) -> None:
    page = get(own, path, key="secret")
    assert page.status_code == 200
    assert "sentiment" not in page.text
    for name in loaded_by(page.text):
        assert get(own, f"/{name}", key="secret").status_code == 200
    assert get(own, "/ui/model", key="secret").status_code == 401


def test_with_a_key_no_other_method_gets_past_it_on_the_pages_paths(own: Servers) -> None:
    client = own.client("http", "sentiment", api_key="secret")
    for path in (*PAGES, "/ui/base.css"):
        assert client.request("POST", path, headers=BROWSER, json={"inputs": "a"}).status_code == 401, path


def test_the_page_is_told_what_this_model_is(servers: Servers) -> None:
    told = get(servers, "/ui/model").json()
    assert told["model_type"] == "sequence_classification"
    assert told["labels"] == list(servers.shared("http", "sentiment").get("/model").json()["id2label"].values())


@each_page
def test_without_the_page_a_browser_gets_no_page(path: str, own: Servers) -> None:
    client = own.client("http", "sentiment", page=None)
    response = client.request("GET", path, headers=BROWSER)
    assert response.headers["content-type"].startswith("text/plain")
    assert response.status_code == (200 if path == "/" else 404)


def test_without_the_page_its_files_are_not_there(own: Servers) -> None:
    client = own.client("http", "sentiment", page=None)
    assert client.request("GET", "/ui/base.css").status_code == 404


@each_page
def test_without_the_page_a_browser_needs_the_key(path: str, own: Servers) -> None:
    client = own.client("http", "sentiment", page=None, api_key="secret")
    assert client.request("GET", path, headers=BROWSER).status_code == 401


def with_examples(own: Servers, model: str | Model, *examples: Example) -> list[dict[str, object]]:
    service = own.service(model)
    service.info = replace(service.info, examples=examples)
    told: list[dict[str, object]] = own.client("http", service).get("/ui/model").json()["examples"]
    return told


def test_the_page_is_told_the_examples_of_the_models_card(own: Servers) -> None:
    given = Example(title="Praise", texts=("I like it",))
    assert with_examples(own, "sentiment", given) == [{"title": "Praise", "texts": ["I like it"]}]


def test_texts_to_compare_are_also_a_query_and_its_documents_where_a_model_ranks(own: Servers) -> None:
    given = Example(query="a query", texts=("one", "two"))
    assert with_examples(own, "embed", given) == [{"texts": ["a query", "one", "two"]}]
    assert {"query": "a query", "texts": ["one", "two"]} in with_examples(own, open_model(KINDS["colbert"]), given)


def test_a_pair_is_an_example_where_a_model_reads_pairs(own: Servers) -> None:
    given = Example(texts=("one",), second="two")
    assert with_examples(own, "sentiment", given) == [{"texts": [{"text": "one", "text_pair": "two"}]}]
    assert with_examples(own, "embed", given) == []
