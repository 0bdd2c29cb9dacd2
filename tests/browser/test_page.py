"""The page where a person tries the model, as that person meets it."""

import json
from typing import Any

import pytest

from browser.conftest import Pages
from support.controlled_models import Gated
from support.model_types import OF_EACH_TYPE
from support.models import DEMO, open_model
from support.servers import Servers

PASTE = """text => {
    const data = new DataTransfer();
    data.setData("text", text);
    const field = document.activeElement;
    field.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
}"""


def run(page: Any) -> None:
    page.click("#run")
    settle(page)


def settle(page: Any) -> None:
    page.wait_for_selector("#results > *, #error:not(:empty)")


@pytest.mark.parametrize("model", OF_EACH_TYPE)
def test_every_way_to_look_at_a_model_answers_its_example(model: str, servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url(model))
    ways = page.locator("#modes label")
    for index in range(ways.count()):
        ways.nth(index).click() if ways.count() > 1 else None
        run(page)
        assert page.inner_text("#error") == ""
        assert page.inner_text("#results").strip()
        assert "Model" in page.inner_text("#timing")


@pytest.mark.parametrize("model", OF_EACH_TYPE)
def test_every_way_shows_the_tokens_and_the_answer_itself(model: str, servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url(model))
    run(page)
    page.click("#tokens summary")
    page.wait_for_selector("#tokens .tokens li")
    assert page.locator("#tokens small").first.inner_text().isdigit()
    page.click("#json summary")
    page.wait_for_selector("#json pre:not(:empty)")
    assert json.loads(page.inner_text("#json pre"))


def test_entities_are_marked_where_they_are_whatever_stands_before_them(servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url("ner"))
    text = "😀👍🏽 e\u0301 John lives in Paris"
    page.locator(".texts textarea").first.fill(text)
    run(page)
    marked = page.locator(".marked").first
    assert (
        "".join(marked.evaluate("each => [...each.childNodes].map(node => node.firstChild?.data ?? node.data)"))
        == text
    )
    assert "Paris" in [each.evaluate("mark => mark.firstChild.data") for each in marked.locator("mark").all()]


def test_what_is_marked_tells_its_score_and_place_on_focus(servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url("ner"))
    run(page)
    mark = page.locator("mark").first
    mark.focus()
    shown = mark.evaluate("mark => getComputedStyle(mark, '::after').content")
    assert "PER" in shown
    assert "0 to 4" in shown


def test_a_long_text_is_read_in_windows(servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url("ner"))
    page.locator(".texts textarea").first.fill("John lives in Paris. " * 100)
    run(page)
    rows = page.locator("#results details").first.locator("tbody tr")
    assert rows.count() == 200


def test_a_truncated_text_is_told_and_shown(servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url("sentiment"))
    page.locator(".texts textarea").first.fill("good " * 600)
    run(page)
    assert "Truncated" in page.inner_text("#timing")
    page.click("#tokens summary")
    page.wait_for_selector("#tokens .over")
    over, shown = page.locator("#tokens .over").count(), page.locator("#tokens section").first.locator("li").count()
    assert 0 < over < shown


@pytest.mark.parametrize("model", ["sentiment", "ner", "embed", "gliclass", "gliner-span"])
def test_what_a_person_types_is_never_html(model: str, servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url(model))
    attack = "<img src=x onerror=\"document.title='hit'\"><script>document.title='hit'</script> John"
    page.locator(".texts textarea").first.fill(attack)
    if page.locator("#fields > .field textarea").count():
        page.locator("#fields > .field textarea").first.fill(f"{attack}\nperson")
    run(page)
    page.click("#tokens summary")
    page.wait_for_selector("#tokens .tokens li")
    assert page.title() != "hit"
    assert page.locator("#main img, #main script").count() == 0


def test_many_lines_pasted_become_many_texts(servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url("embed"))
    page.click("text=Add a text")
    page.evaluate(PASTE, "one\ntwo\r\n\nthree")
    values = page.locator(".texts textarea").evaluate_all(
        "all => all.filter(each => each.offsetParent).map(each => each.value)"
    )
    assert values[-3:] == ["one", "two", "three"]


def test_texts_can_be_removed_to_the_last(servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url("sentiment"))
    for _ in range(2):
        page.locator(".remove").first.click()
    assert page.locator(".texts li").count() == 1
    page.click("#run")
    assert page.inner_text("#error") == "Type a text first."


def test_pairs_are_sent_as_pairs(servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url("sentiment"))
    page.check(".texts ~ p input[type=checkbox]")
    page.locator(".texts textarea:visible").nth(1).fill("a second text")
    with page.expect_request("**/predict") as asked:
        run(page)
    assert asked.value.post_data_json["inputs"][0]["text_pair"] == "a second text"


def test_a_refusal_is_shown_in_the_servers_words(own: Servers, pages: Pages) -> None:
    client = own.client("http", "sentiment", max_body_bytes=200)
    page = pages.open(str(client.http.base_url))
    page.locator(".texts textarea").first.fill("x" * 500)
    run(page)
    assert page.inner_text("#error") == "The body is larger than 200 bytes; split the request"


def test_a_server_that_is_gone_is_told(own: Servers, pages: Pages) -> None:
    page = pages.open(str(own.client("http", "sentiment").http.base_url))
    page.route("**/predict", lambda route: route.abort())
    run(page)
    assert page.inner_text("#error") == "The server does not answer. Is it still running?"
    pages.faults.clear()  # the browser notes it too
    pages.faults.clear()


def test_a_request_can_be_cancelled(own: Servers, pages: Pages) -> None:
    model = Gated(open_model(DEMO["sentiment"]))
    page = pages.open(str(own.client("http", model).http.base_url))
    page.click("#run")
    page.click("#cancel")
    page.wait_for_function("document.getElementById('status').textContent === 'Cancelled.'")
    model.open()
    run(page)
    assert page.inner_text("#error") == ""


def test_a_key_is_asked_for_and_stays_in_the_tab(own: Servers, pages: Pages) -> None:
    url = str(own.client("http", "sentiment", api_key="secret").http.base_url)
    page = pages.open(url)
    assert page.locator("#ask-key").is_visible()
    assert not page.locator("#main").is_visible()
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    page.wait_for_selector("#key-error:not(:empty)")
    assert page.inner_text("#key-error") == "This key was not accepted."
    page.keyboard.type("secret")
    page.keyboard.press("Enter")
    page.wait_for_selector("#main:not([hidden])")
    run(page)
    assert page.inner_text("#error") == ""
    for name in ("curl", "Python", "JavaScript", "grpcurl"):
        page.click(f"#tab-{name}")
        assert "secret" not in page.inner_text("#snippet")
    assert page.evaluate("[localStorage.length, document.cookie, location.search + location.hash]") == [0, "", ""]
    page.reload()
    page.wait_for_selector("#main:not([hidden])")
    page.goto(f"{url}/docs")
    page.wait_for_selector("#main:not([hidden])")
    page.click("#forget")
    assert page.locator("#ask-key").is_visible()
    page.reload()
    page.wait_for_selector("#ask-key:not([hidden])")


def test_the_theme_stays_as_it_was_chosen(servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url("sentiment"))
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("#theme")
    page.click("#theme")
    assert page.inner_text("#theme") == "Theme: dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    page.reload()
    page.wait_for_selector("#main:not([hidden])")
    assert page.inner_text("#theme") == "Theme: dark"


def test_a_large_answer_leaves_the_page_usable(servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url("embed"))
    page.click("text=Add a text")
    page.evaluate(PASTE, "\n".join(f"text {index}" for index in range(300)))
    run(page)
    assert page.locator("#results *").count() < 6000
    page.click("#json summary")
    page.wait_for_selector("#json pre:not(:empty)")
    assert len(page.inner_text("#json pre")) < 110_000


def test_behind_a_proxy_under_a_path_the_page_finds_everything(own: Servers, pages: Pages) -> None:
    url = str(own.client("http", "sentiment", root_path="/models/a").http.base_url)
    for path in ("/models/a", "/models/a/", "/models/a/ui"):
        page = pages.open(url, path)
        run(page)
        assert f"{url}/models/a/predict" in page.inner_text("#snippet")
