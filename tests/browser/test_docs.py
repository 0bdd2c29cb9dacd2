"""The API's documentation, as somebody uses it who is about to write a client."""

from typing import Any

import pytest

from browser.conftest import Pages
from support.model_types import OF_EACH_TYPE
from support.servers import Servers

ROUTE = "#groups > section > details"


def shown(page: Any) -> list[str]:
    found: list[str] = page.locator(f"{ROUTE}:visible").evaluate_all("all => all.map(each => each.id)")
    return found


@pytest.mark.parametrize("model", OF_EACH_TYPE)
def test_every_route_is_there_and_those_that_this_model_answers_are_shown_first(
    model: str, servers: Servers, pages: Pages
) -> None:
    page = pages.open(servers.url(model), "/docs")
    paths = servers.shared("http", model).get("/openapi.json").json()["paths"]
    operations = [item[method] for item in paths.values() for method in item if method != "parameters"]
    assert len(shown(page)) == sum("200" in each["responses"] for each in operations)
    page.uncheck("#able")
    assert len(shown(page)) == len(operations)
    assert page.inner_text("#found") == f"{len(operations)} routes"


@pytest.mark.parametrize("model", OF_EACH_TYPE)
def test_whatever_can_be_tried_is_answered_as_it_stands(model: str, servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url(model), "/docs")
    refused = {}
    for name in shown(page):
        route = page.locator(f"details[id='{name}']")
        route.locator("> summary").click()
        route.locator(".try button.main").click()
        page.wait_for_function(
            "id => /^[0-9]/.test(document.getElementById(id).querySelector('[role=status]').textContent)", arg=name
        )
        status = route.locator("[role=status]").first.inner_text()
        if not status.startswith("200"):
            refused[name] = (
                status,
                route.locator(".try pre").first.inner_text(),
                route.locator("textarea").input_value(),
            )
        route.locator("> summary").click()
    assert refused == {}


def test_a_search_leaves_the_routes_with_its_words(servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url("embed"), "/docs")
    page.fill("#search", "openai POST")
    assert shown(page) == ["post-v1-embeddings", "post-embeddings"]
    page.fill("#search", "no such route")
    assert page.inner_text("#found") == "0 routes"


def test_an_address_leads_to_its_route(servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url("embed"), "/docs#post-rerank")
    assert page.locator("#post-rerank").get_attribute("open") is not None
    assert page.evaluate("document.activeElement.parentElement.id") == "post-rerank"
    page.evaluate("location.hash = 'post-predict'")
    page.wait_for_selector("#post-predict[open]")


def test_fields_have_their_types_bounds_and_whether_they_are_needed(servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url("embed"), "/docs#post-predict")
    told = page.inner_text("#post-predict .operation")
    assert "inputs required" in " ".join(told.split())
    assert "list of string" in told
    assert "at least 1" in told
    for status in ("200", "401", "422", "503"):
        assert status in told


def test_a_body_that_is_changed_is_sent_as_it_is(servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url("embed"), "/docs#post-predict")
    page.fill("#post-predict textarea", '{"inputs": []}')
    assert """-d '{"inputs":[]}'""" in page.inner_text("#post-predict .try pre:last-of-type")
    page.click("#post-predict .try button.main")
    page.wait_for_selector("#post-predict .try pre:not([hidden])")
    page.wait_for_function("document.querySelector('#post-predict [role=status]').textContent.startsWith('422')")
