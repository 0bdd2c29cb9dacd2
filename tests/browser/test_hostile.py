"""The page against what is hostile, broken, missing or huge."""

from typing import Any

import pytest

from browser.conftest import Pages
from support.servers import Servers

ATTACK = "<img src=x onerror=\"document.title='hit'\"></script><script>document.title='hit'</script>\u202e"
REFUSES = "Object.defineProperty(window, '{}', {{get() {{ throw new DOMException('no', 'SecurityError'); }}}});"


def run(page: Any) -> None:
    page.click("#run")
    page.wait_for_selector("#results > *, #error:not(:empty)")


def told(page: Any, pattern: str, **changes: Any) -> None:
    """Lets the server's answers for a route have other fields."""

    def change(route: Any) -> None:
        route.fulfill(json={**route.fetch().json(), **changes})

    page.route(pattern, change)


def reopened(page: Any) -> None:
    page.reload()
    page.wait_for_selector("#main:not([hidden])")


@pytest.mark.parametrize("model", ["sentiment", "ner"])
def test_what_a_model_says_of_itself_is_never_html(model: str, servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url(model))
    example = {"title": ATTACK, "texts": [ATTACK, "a"]}
    told(
        page,
        "**/ui/model",
        model_id=ATTACK,
        version=ATTACK,
        device=ATTACK,
        labels=[ATTACK] * 20,
        prompts=[ATTACK],
        examples=[example, example],
        encoderfile=ATTACK,
    )
    reopened(page)
    run(page)
    assert page.inner_text("#name").startswith("<img")
    assert page.title().startswith("<img")  # the browser's bar shows text
    assert page.locator("#main img, #main script, footer img, #name *").count() == 0


def test_what_the_server_says_is_never_html(servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url("sentiment"))
    page.route("**/predict", lambda route: route.fulfill(status=422, body=ATTACK))
    run(page)
    assert page.inner_text("#error").startswith("<img")
    result = {"scores": [0.5, 0.5], "predicted_label": ATTACK}
    page.unroute("**/predict")
    page.route("**/predict", lambda route: route.fulfill(json={"results": [result, result]}))
    run(page)
    assert page.inner_text(".decided >> nth=0").startswith("<img")
    assert page.locator("#main img, #main script").count() == 0


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_told_once_and_asked_again_by_the_person(
    status: int, servers: Servers, pages: Pages
) -> None:
    page = pages.open(servers.url("sentiment"))
    page.route("**/predict", lambda route: route.fulfill(status=status, body="The queue is full"))
    run(page)
    assert page.inner_text("#error") == "The queue is full – try again in a moment"
    page.unroute("**/predict")
    page.route(
        "**/predict",
        lambda route: route.fulfill(status=status, body="The queue is full", headers={"Retry-After": "2"}),
    )
    run(page)
    assert page.inner_text("#error") == "The queue is full (try again in 2 s)"


def test_a_server_that_is_not_there_yet_can_be_tried_again(servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url("sentiment"))
    page.route("**/ui/model", lambda route: route.fulfill(status=503, body="Starting"))
    page.reload()
    page.wait_for_selector("#trouble:not([hidden])")
    assert page.inner_text("#trouble p >> nth=0") == "Starting – try again in a moment"
    page.unroute("**/ui/model")
    page.click("#again")
    page.wait_for_selector("#main:not([hidden])")
    assert not page.locator("#trouble").is_visible()


def test_an_answer_of_another_form_is_shown_as_it_is(servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url("sentiment"))
    page.route("**/predict", lambda route: route.fulfill(json={"results": [{"odd": 1}]}))
    run(page)
    assert '"odd": 1' in page.inner_text("#json pre")
    assert page.inner_text("#error") == ""
    pages.faults.clear()  # the console is told what is odd


def test_tokens_that_come_late_are_not_shown_for_another_answer(servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url("sentiment"))
    held: list[Any] = []

    def hold(route: Any) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route("**/tokenize", hold)
    run(page)
    with page.expect_request("**/tokenize"):
        page.click("#tokens summary")
    page.locator(".texts textarea").first.fill("Zzz")
    run(page)
    page.wait_for_function("document.querySelector('#tokens h3')?.textContent === 'Zzz'")
    with page.expect_response("**/tokenize"):
        held[0].continue_()
    assert page.inner_text("#tokens h3 >> nth=0") == "Zzz"


@pytest.mark.parametrize(
    "key", ["wrong", "schlüssel", "ключ 🔑", "a\tb"], ids=["ascii", "latin", "beyond", "control"]
)
def test_a_key_that_is_not_the_key_is_told_as_that(key: str, own: Servers, pages: Pages) -> None:
    page = pages.open(str(own.client("http", "sentiment", api_key="secret").http.base_url))
    page.fill("#key", key)
    page.click("text=Use the key")
    page.wait_for_selector("#key-error:not(:empty)")
    assert page.inner_text("#key-error") == "This key was not accepted."
    page.fill("#key", " secret ")
    page.click("text=Use the key")
    page.wait_for_selector("#main:not([hidden])")


@pytest.mark.parametrize("name", ["Metrics", "openapi.json"])
def test_links_to_what_needs_the_key_work_with_it(name: str, own: Servers, pages: Pages) -> None:
    url = str(own.client("http", "sentiment", api_key="secret").http.base_url)
    page = pages.open(url, "/docs")
    page.fill("#key", "secret")
    page.keyboard.press("Enter")
    page.wait_for_selector("#main:not([hidden])")
    page.click(f"nav >> text={name}")
    page.wait_for_url("blob:**")
    assert "encoderfile" in page.inner_text("body")
    assert "secret" not in page.url


@pytest.mark.parametrize("path", ["/", "/docs"])
@pytest.mark.parametrize("name", ["localStorage", "sessionStorage"])
def test_a_browser_that_keeps_nothing_shows_the_page(name: str, path: str, own: Servers, pages: Pages) -> None:
    url = str(own.client("http", "sentiment", api_key="secret").http.base_url)
    page = pages.open(url, path, script=REFUSES.format(name))
    page.fill("#key", "secret")
    page.keyboard.press("Enter")
    page.wait_for_selector("#main:not([hidden])")
    page.click("#theme")
    assert page.inner_text("#theme") == "Theme: light"


def test_without_a_clipboard_the_request_is_copied_nevertheless(servers: Servers, pages: Pages) -> None:
    page = pages.open(
        servers.url("sentiment"), script="Object.defineProperty(navigator, 'clipboard', {value: undefined});"
    )
    page.evaluate("addEventListener('copy', () => { window.copied = getSelection().toString(); })")
    page.click("#copy")
    assert page.inner_text("#copied") == "Copied."
    assert page.evaluate("window.copied") == page.locator("#snippet pre").text_content()
    assert page.evaluate("document.activeElement.id") == "copy"


def test_a_huge_request_is_copied_whole_and_shown_in_part(servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url("sentiment"))
    page.locator(".texts textarea").first.fill("good " * 100_000)
    page.evaluate("""() => {
        Object.defineProperty(navigator, "clipboard", {value: {writeText: async text => { window.copied = text; }}});
    }""")
    page.click("#copy")
    page.wait_for_selector("#copied:not(:empty)")
    assert page.evaluate("window.copied.length") > 500_000
    assert len(page.inner_text("#snippet pre")) < 21_000


def test_a_text_with_thousands_of_entities_leaves_the_page_usable(servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url("ner"))
    page.locator(".texts textarea").first.fill("John lives in Paris. " * 2000)
    run(page)
    assert page.locator("#results *").count() < 12_000
    assert page.locator("#results summary >> nth=0").inner_text() == "4,000 entities"


def test_overlapping_entities_are_all_in_the_table(servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url("gliner-span"))
    page.locator(".texts textarea").first.fill("University of New York")
    while page.locator(".texts li").count() > 1:
        page.locator(".remove").last.click()
    found = [
        {"label": "place", "score": 0.9, "start": 14, "end": 22},
        {"label": "school", "score": 0.8, "start": 0, "end": 22},
    ]
    page.route("**/predict", lambda route: route.fulfill(json={"results": [{"entities": found}]}))
    run(page)
    assert page.locator("mark").evaluate_all("all => all.map(each => each.firstChild.data)") == [
        "University of New York"
    ]
    assert page.inner_text(".result > p.quiet").startswith("1 entity not marked")
    assert page.locator("#results tbody tr").count() == 2


@pytest.mark.parametrize("width", [320, 1280])
def test_what_a_mark_tells_stays_in_the_window(width: int, servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url("ner"), width=width)
    page.locator(".texts textarea").first.fill(
        "In the middle of the year John lives in Paris with John and Paris " * 3
    )
    run(page)
    for mark in page.locator("mark").all():
        mark.focus()
        box = page.locator("#tip").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_texts_from_right_to_left_are_shown_that_way(servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url("sentiment"))
    page.locator(".texts textarea").first.fill("שלום עולם")
    run(page)
    for each in (".texts textarea >> nth=0", "#results h3 >> nth=0"):
        assert page.locator(each).evaluate("each => getComputedStyle(each).direction") == "rtl"


def test_many_labels_are_folded_and_can_be_searched(servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url("sentiment"))
    many = [f"label {index}" for index in range(500)]
    told(page, "**/ui/model", labels=many)
    reopened(page)
    assert not page.locator(".names").is_visible()
    page.click("#facts summary")
    page.fill("#facts input", "499")
    assert page.locator(".names li:visible").all_inner_texts() == ["label 499"]
    scores = [{"scores": [index / 500 for index in range(500)], "predicted_label": "label 499"}] * 2
    page.route("**/predict", lambda route: route.fulfill(json={"results": scores}))
    run(page)
    first = page.locator(".result").first
    assert first.locator(".bars li").count() == 10
    first.locator("button").press("Enter")
    assert first.locator(".bars li").count() == 500
    assert page.evaluate("document.activeElement.textContent") == "Show fewer"
