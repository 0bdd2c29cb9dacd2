"""The pages for everybody: axe's rules, the keyboard alone, 320 pixels, light and dark."""

from typing import Any

import pytest

from browser.conftest import Pages
from support.model_types import OF_EACH_TYPE
from support.servers import Servers

each_theme = pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page: Any, axe: str) -> list[str]:
    page.evaluate(axe)
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:200]} {each['nodes'][0]['failureSummary']}" for each in found]


def answered(page: Any) -> None:
    page.click("#run")
    page.wait_for_selector("#results > *")
    for details in page.locator("#answer details:visible, #options:visible").all():
        details.evaluate("each => { each.open = true; }")
    page.wait_for_selector("#tokens .tokens li")


@each_theme
@pytest.mark.parametrize("model", OF_EACH_TYPE)
def test_the_page_breaks_no_rule(model: str, dark: bool, axe: str, servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url(model), dark=dark)
    ways = page.locator("#modes label:visible")
    for index in range(max(1, ways.count())):
        if ways.count():
            ways.nth(index).click()
        answered(page)
        assert violations(page, axe) == []


@each_theme
def test_the_documentation_breaks_no_rule(dark: bool, axe: str, servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url("embed"), "/docs", dark=dark)
    for name in ("post-predict", "post-rerank", "get-metrics", "post-v1-embeddings"):
        page.locator(f"#{name}").evaluate("each => { each.open = true; }")
    assert violations(page, axe) == []


@each_theme
@pytest.mark.parametrize("path", ["/", "/docs"])
def test_the_form_for_the_key_breaks_no_rule(path: str, dark: bool, axe: str, own: Servers, pages: Pages) -> None:
    page = pages.open(str(own.client("http", "sentiment", api_key="a").http.base_url), path, dark=dark)
    assert violations(page, axe) == []


@pytest.mark.parametrize("model", OF_EACH_TYPE)
def test_nothing_is_wider_than_a_small_screen(model: str, servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url(model), width=320)
    answered(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_the_documentation_is_not_wider_than_a_small_screen(servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url("embed"), "/docs", width=320)
    page.locator("#groups > section > details").evaluate_all("all => all.forEach(each => { each.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_everything_can_be_done_with_the_keyboard_alone(servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url("ner"))
    wanted = {"theme", "run", "tab-curl", "snippet", "copy"}
    seen: list[str] = []
    for _ in range(60):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            """() => {
                const each = document.activeElement;
                const style = getComputedStyle(each);
                const mark = each.matches(".choices input") ? getComputedStyle(each.nextElementSibling) : style;
                return {id: each.id, tag: each.tagName, outlined: mark.outlineStyle !== "none"};
            }"""
        )
        if focused["tag"] == "BODY":
            break
        assert focused["outlined"], focused
        seen.append(focused["id"])
    assert wanted <= set(seen)
    page.locator(".texts textarea").first.focus()
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#results mark")
    page.locator("#modes input").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#modes input:checked").get_attribute("value") == "labels"
    page.locator("#tab-curl").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.id") == "tab-Python"
    assert "import requests" in page.inner_text("#snippet")


def test_what_happens_is_told_to_screen_readers(servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url("sentiment"))
    assert page.locator("#status").get_attribute("role") == "status"
    assert page.locator("#error").get_attribute("role") == "alert"
    page.click("#run")
    page.wait_for_selector("#results > *")
    assert page.inner_text("#status").startswith("1 text, ")
