"""The page where a person tries the model, as that person meets it."""

import json
from typing import Any

import pytest

from browser.conftest import Pages
from support.controlled_models import Gated
from support.kinds import KINDS
from support.model_types import OF_EACH_TYPE
from support.models import DEMO, open_model
from support.servers import Servers


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
    shown, _, more = page.inner_text("#json pre").partition("\n… and ")
    assert more.endswith(" more characters") if more else json.loads(shown)


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


def test_what_is_marked_tells_its_score_and_place_on_focus_and_under_the_pointer(
    servers: Servers, pages: Pages
) -> None:
    page = pages.open(servers.url("ner"))
    page.locator(".texts textarea").first.fill("John lives in Paris")
    run(page)
    mark, tip = page.locator("mark").first, page.locator("#tip")
    assert not tip.is_visible()
    mark.focus()
    assert tip.inner_text().startswith("PER 0.")
    assert tip.inner_text().endswith("characters 0 to 4")
    page.keyboard.press("Escape")
    assert not tip.is_visible()
    page.locator("mark").nth(1).hover()
    assert tip.inner_text().endswith("characters 14 to 19")


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


def texts(page: Any) -> list[str]:
    found: list[str] = page.locator(".texts textarea:visible").evaluate_all("all => all.map(each => each.value)")
    return found


def test_many_lines_become_many_texts_if_a_person_wants_that(servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url("embed"))
    before = texts(page)
    page.locator(".texts textarea:visible").nth(1).fill("one\r\ntwo\n\nthree")
    assert len(texts(page)) == len(before)
    page.click("text=Make 3 texts of these lines")
    assert texts(page) == [before[0], "one", "two", "three", *before[2:]]
    assert page.evaluate("document.activeElement.ariaLabel") == "Texts, 2"
    assert page.locator(".split:visible").count() == 0


def test_what_was_typed_stays_when_the_way_to_look_changes(servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url("ner"))
    page.locator(".texts textarea").first.fill("Typed by hand")
    for way in ("Label tokens", "Find entities"):
        page.click(f"text={way}")
        assert texts(page)[0] == "Typed by hand"


def test_an_example_fills_the_form(servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url("gliclass"))
    before = texts(page)
    page.click("#examples button:last-of-type")
    assert texts(page) != before
    run(page)
    names = page.locator(".result").first.locator(".bars .name").all_inner_texts()
    assert sorted(names) == sorted(page.locator("#fields > .field textarea").input_value().split("\n"))


def test_what_was_opened_stays_open_for_the_next_answer(servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url("sentiment"))
    run(page)
    page.click("#json summary")
    page.click("#tokens summary")
    page.wait_for_selector("#tokens .tokens li")
    page.locator(".texts textarea").first.fill("Zzz")
    run(page)
    page.wait_for_function("document.querySelector('#tokens h3')?.textContent === 'Zzz'")
    assert page.inner_text("#json pre").startswith("{")


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
    page.locator(".texts textarea").first.fill("\n".join(f"text {index}" for index in range(300)))
    page.click(".split")
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


def test_late_interaction_shows_which_tokens_made_up_the_score(own: Servers, pages: Pages) -> None:
    page = pages.open(str(own.client("http", open_model(KINDS["colbert"])).http.base_url))
    run(page)
    best = page.locator(".result").nth(1)
    nearest = [float(each) for each in best.locator("td .heat").all_inner_texts()]
    score = float(page.locator(".bars .number").first.inner_text())
    assert sum(nearest) == pytest.approx(score, abs=1e-3)
    page.locator("#results summary").last.click()
    assert page.locator("#results .strength:visible").count() > 5


def test_the_similarity_map_is_a_table_with_numbers(servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url("embed"))
    run(page)
    rows = [row.locator("td").all_inner_texts() for row in page.locator(".map tbody tr").all()]
    assert [rows[index][index] for index in range(3)] == ["1.00"] * 3
    assert rows[0][1] == rows[1][0]
    assert (
        page.locator(".long .name").first.inner_text().startswith("How do I reset my password? ↔ Password recovery")
    )
