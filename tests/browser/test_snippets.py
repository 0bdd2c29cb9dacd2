"""The requests that the page offers to copy: each is run as it stands, and brings the answer that the page shows."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from browser.conftest import Pages
from encoderfile.transports.http.ui.model import WaysIn
from support.kinds import KINDS
from support.model_types import OF_EACH_TYPE
from support.models import open_model
from support.servers import Servers
from support.serving import grpc_server, http_server

HARD = 'It\'s "100 %" $HOME `id` \\n \\ !bang\nnext line; é 😀 \u2028 </script> ${x}'


@pytest.fixture
def shell(tools: Path, tmp_path: Path) -> Any:
    """Runs what was copied, with the key where the snippet looks for it."""

    def run(name: str, text: str) -> Any:
        commands = {"curl": ["sh"], "Python": [sys.executable, "-"], "JavaScript": ["node", "-"], "grpcurl": ["sh"]}
        if name == "JavaScript":  # CommonJS from standard input has no await of its own
            text = f"(async () => {{{text}}})()".replace(
                "console.log(await response.json())", "console.log(JSON.stringify(await response.json()))"
            )
        if name == "Python":
            text = text.replace("print(response.json())", "import json; print(json.dumps(response.json()))")
        path = f"{tools / 'bin'}:{os.environ['PATH']}"
        environment = {"PATH": path, "HOME": str(tmp_path), "API_KEY": "secret", "LANG": "C.UTF-8"}
        done = subprocess.run(
            commands[name], input=text.encode(), capture_output=True, env=environment, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)

    return run


def opened(own: Servers, pages: Pages, model: Any, key: str | None = None) -> Any:
    service = own.service(model)
    _, calls = own.enter(grpc_server(service, api_key=key))
    page = WaysIn(grpc_port=int(calls.rpartition(":")[2]))
    found = pages.open(own.enter(http_server(service, api_key=key, page=page)))
    if key:
        found.fill("#key", key)
        found.keyboard.press("Enter")
        found.wait_for_selector("#main:not([hidden])")
    return found


def copied(page: Any, name: str) -> str:
    page.click(f"#tab-{name}")
    text: str = page.locator("#snippet pre").evaluate("each => each.textContent")
    return text


def shown(page: Any) -> Any:
    with page.expect_response(lambda response: response.request.method == "POST") as answered:
        page.click("#run")
    page.wait_for_selector("#results > *, #error:not(:empty)")
    assert page.inner_text("#error") == ""
    return answered.value.json()


@pytest.mark.parametrize("key", [None, "secret"], ids=["open", "with a key"])
@pytest.mark.parametrize("name", ["curl", "Python", "JavaScript"])
@pytest.mark.parametrize("model", OF_EACH_TYPE)
def test_what_is_copied_brings_what_the_page_shows(
    model: str, name: str, key: str | None, own: Servers, pages: Pages, shell: Any
) -> None:
    page = opened(own, pages, model, key)
    page.locator(".texts textarea").first.fill(HARD)
    assert shell(name, copied(page, name)) == shown(page)


@pytest.mark.parametrize("name", ["curl", "Python", "JavaScript"])
@pytest.mark.parametrize("kind", ["bge-m3", "colbert"])
def test_rankings_and_sparse_vectors_are_copied_too(
    kind: str, name: str, own: Servers, pages: Pages, shell: Any
) -> None:
    page = opened(own, pages, open_model(KINDS[kind]))
    for way in page.locator("#modes label").all():
        way.click()
        found, expected = shell(name, copied(page, name)), shown(page)
        for each in (found, expected):
            if isinstance(each, dict):
                each.pop("id", None)  # of one answer
        assert found == expected


def as_http(told: Any) -> Any:
    """The fields of gRPC's JSON form by the names that HTTP has."""
    if isinstance(told, dict):
        return {
            "".join(f"_{c.lower()}" if c.isupper() else c for c in name): as_http(value)
            for name, value in told.items()
        }
    return [as_http(each) for each in told] if isinstance(told, list) else told


@pytest.mark.parametrize("key", [None, "secret"], ids=["open", "with a key"])
@pytest.mark.parametrize("model", OF_EACH_TYPE)
def test_what_is_copied_for_grpc_is_answered(
    model: str, key: str | None, own: Servers, pages: Pages, shell: Any
) -> None:
    page = opened(own, pages, model, key)
    if model == "ner":
        page.click("text=Label tokens")
    page.locator(".texts textarea").first.fill(HARD)
    told = as_http(shell("grpcurl", copied(page, "grpcurl")))
    assert len(told["results"]) == len(shown(page)["results"])


def test_pairs_are_copied_for_grpc_as_it_takes_them(own: Servers, pages: Pages, shell: Any) -> None:
    page = opened(own, pages, "sentiment")
    page.check(".texts ~ p input[type=checkbox]")
    for field in page.locator(".texts textarea:visible").all():
        field.fill(HARD)
    told = as_http(shell("grpcurl", copied(page, "grpcurl")))
    scores = [each["scores"] for each in shown(page)["results"]]
    for one, other in zip((each["scores"] for each in told["results"]), scores, strict=True):
        assert one == pytest.approx(other, rel=1e-5)


def test_without_grpc_the_page_says_so(servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url("sentiment"))
    assert copied(page, "grpcurl") == "# gRPC is not served on a port here."
