"""The API's documentation against documents, answers and servers that are hostile, huge or late."""

import json
from typing import Any

import pytest

from browser.conftest import Pages
from support.servers import Servers

ATTACK = "<img src=x onerror=\"document.title='hit'\"></script><script>document.title='hit'</script>"
BODY = "#post-predict textarea"
STATUS = "#post-predict [role=status] >> nth=0"
ANSWER = "#post-predict .try pre >> nth=0"
CURL = "#post-predict .try pre >> nth=1"


def opened(servers: Servers, pages: Pages, model: str = "sentiment", **options: Any) -> Any:
    page = pages.open(servers.url(model), "/docs#post-predict", **options)
    page.wait_for_selector("#post-predict[open]")
    return page


def send(page: Any, status: str) -> None:
    page.click("#post-predict .try button.main")
    told(page, status)


def told(page: Any, status: str) -> None:
    page.wait_for_function(
        "status => document.querySelector('#post-predict [role=status]').textContent.startsWith(status)", arg=status
    )


def changed(page: Any, change: Any) -> None:
    """Reloads the page with another document."""

    def answer(route: Any) -> None:
        document = route.fetch().json()
        change(document)
        route.fulfill(json=document)

    page.route("**/openapi.json", answer)
    page.reload()
    page.wait_for_selector("#post-predict[open]")


def request_of(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["components"]["schemas"]["Request"]
    return found


def attacked(value: Any, key: str = "") -> Any:
    """The same with markup wherever people are told something, and in names and choices."""
    if isinstance(value, dict):
        return {name: attacked(each, name) for name, each in value.items()}
    if isinstance(value, list):
        return [attacked(each, key) for each in value] + ([ATTACK] if key == "enum" else [])
    return f"{value}{ATTACK}" if key in ("title", "version", "description", "summary") else value


def test_what_a_document_says_is_never_html(servers: Servers, pages: Pages) -> None:
    page = opened(servers, pages)

    def change(document: dict[str, Any]) -> None:
        document.update(attacked(document))
        document["tags"].append({"name": ATTACK})
        post = document["paths"]["/predict"]["post"]
        document["paths"][f"/{ATTACK}"] = {"get": {**post, "tags": [ATTACK], "requestBody": None}}
        request_of(document)["properties"][ATTACK] = {"type": ATTACK, "description": f"`{ATTACK}`", "default": ATTACK}
        post["requestBody"]["content"]["application/json"]["example"] = {"inputs": [ATTACK]}

    changed(page, change)
    page.locator("#groups details").evaluate_all("all => all.forEach(each => { each.open = true; })")
    assert "<img" in page.inner_text("#groups")
    assert page.title().startswith("API of ")
    assert page.locator("main img, main script").count() == 0


def test_what_the_server_answers_is_never_html(servers: Servers, pages: Pages) -> None:
    page = opened(servers, pages)
    page.route(
        "**/predict",
        lambda route: route.fulfill(
            status=400, body=ATTACK, headers={"X-Attack": ATTACK, "Content-Type": "text/html"}
        ),
    )
    send(page, "400")
    page.click("text=Headers of the answer")
    assert page.inner_text(ANSWER) == ATTACK
    assert page.inner_text("#post-predict .try dl").count("<img") == 1
    assert page.locator("main img, main script").count() == 0


def test_a_schema_that_holds_itself_is_told_once(servers: Servers, pages: Pages) -> None:
    page = opened(servers, pages)
    tree = {"$ref": "#/components/schemas/Tree"}
    value = {"$ref": "#/components/schemas/Value"}

    def change(document: dict[str, Any]) -> None:
        document["components"]["schemas"].update(
            Tree={"type": "object", "required": ["up", "all"], "properties": {"up": tree, "all": value}},
            Value={
                "anyOf": [value, {"type": "array", "items": value}, {"type": "object", "additionalProperties": tree}]
            },
            Round={"$ref": "#/components/schemas/Round"},
        )
        content = document["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]
        content["schema"] = {"anyOf": [tree, value, {"$ref": "#/components/schemas/Round"}]}
        content.pop("example", None)

    changed(page, change)
    assert page.locator("#post-predict .told .fields code").all_inner_texts() == ["up", "all"]
    assert json.loads(page.input_value(BODY)).keys() == {"up", "all"}


def test_maps_bounds_and_backticks_are_told(servers: Servers, pages: Pages) -> None:
    page = opened(servers, pages)

    def change(document: dict[str, Any]) -> None:
        properties = request_of(document)["properties"]
        properties["sizes"] = {
            "type": "object",
            "additionalProperties": {"type": "integer"},
            "description": "as `this`",
        }
        properties["share"] = {"type": "number", "exclusiveMinimum": 0, "maximum": 1, "default": 0.5}
        properties["kind"] = {"type": "string", "enum": ["only"]}

    changed(page, change)
    words = " ".join(page.inner_text("#post-predict .told").split())
    assert "sizes object of integer as this" in words
    assert "share number (at most 1, more than 0, default 0.5)" in words
    assert 'kind "only"' in words
    assert page.locator("#post-predict dd code").all_inner_texts().count("this") == 1


def test_what_is_needed_comes_first(servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url("embed"), "/docs#post-v1-embeddings")
    page.wait_for_selector("#post-v1-embeddings[open]")
    assert page.inner_text("#post-v1-embeddings .fields code >> nth=0") == "input"


def test_a_search_finds_the_names_of_fields(servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url("embed"), "/docs")
    page.fill("#search", "encoding_format")
    shown = page.locator("#groups > section > details:visible").evaluate_all("all => all.map(each => each.id)")
    assert "post-v1-embeddings" in shown
    assert "post-predict" not in shown


def test_an_address_leads_to_its_route_whatever_is_searched_for(servers: Servers, pages: Pages) -> None:
    page = opened(servers, pages)
    page.fill("#search", "no such route")
    page.evaluate("location.hash = 'get-health'")
    page.wait_for_selector("#get-health[open] .operation > *")
    assert page.input_value("#search") == ""
    assert page.evaluate("document.activeElement.parentElement.id") == "get-health"


@pytest.mark.parametrize("place", ["#", "#main", "#no-such", "#%", "#get-<img>", "#search"])
def test_an_address_of_something_else_does_nothing(place: str, servers: Servers, pages: Pages) -> None:
    page = pages.open(servers.url("sentiment"), f"/docs{place}")
    page.wait_for_selector("#groups details")
    assert page.locator("#groups details[open]").count() == 0


def test_numbers_are_sent_copied_and_shown_as_they_are_written(servers: Servers, pages: Pages) -> None:
    page = opened(servers, pages)
    written = '{"big": 12345678901234567890, "one": 1.0, "text": "a  b\\" ,:[", "odd": "it\'s"}'
    sent: list[str] = []

    def answer(route: Any) -> None:
        sent.append(route.request.post_data)
        route.fulfill(body=written, content_type="application/json")

    page.route("**/predict", answer)
    page.fill(BODY, written)
    send(page, "200")
    packed = written.replace(": ", ":").replace(', "', ',"').replace("it's", "it'\\''s")
    assert sent == [written]
    assert f"-d '{packed}'" in page.inner_text(CURL)
    lines = [each.strip() for each in page.inner_text(ANSWER).splitlines()]
    assert lines[1:4] == ['"big": 12345678901234567890,', '"one": 1.0,', '"text": "a  b\\" ,:[",']


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ('{"a":[1,-2.5e3,3],"b":[],"c":{}}', '{\n  "a": [1, -2.5e3, 3],\n  "b": [],\n  "c": {}\n}'),
        ("[[1,2],[3]]", "[\n  [1, 2],\n  [3]\n]"),
        ('["a","b"]', '["a", "b"]'),
        (json.dumps(["x" * 60, "y" * 60]), f'[\n  "{"x" * 60}",\n  "{"y" * 60}"\n]'),
        ("[]", "[]"),
        ('"text"', '"text"'),
        ("null", "null"),
        ("not JSON {", "not JSON {"),
        ("", ""),
    ],
    ids=["numbers", "lists", "words", "long words", "empty", "string", "null", "text", "nothing"],
)
def test_answers_are_laid_out(written: str, shown: str, servers: Servers, pages: Pages) -> None:
    page = opened(servers, pages)
    page.route("**/predict", lambda route: route.fulfill(body=written, content_type="application/json"))
    send(page, "200")
    assert page.locator(ANSWER).text_content() == shown


def test_a_huge_answer_is_shown_in_part_and_copied_whole(servers: Servers, pages: Pages) -> None:
    page = opened(servers, pages)
    written = json.dumps({"text": "x" * 3_000_000})
    page.route("**/predict", lambda route: route.fulfill(body=written, content_type="application/json"))
    send(page, "200")
    assert len(page.locator(ANSWER).text_content()) < 51_000
    page.evaluate("""() => {
        Object.defineProperty(navigator, "clipboard", {value: {writeText: async text => { window.copied = text; }}});
    }""")
    page.click("text=Copy the answer")
    page.wait_for_function("() => window.copied !== undefined")
    assert page.evaluate("window.copied.length") == len(written)


def test_a_request_can_be_cancelled(servers: Servers, pages: Pages) -> None:
    page = opened(servers, pages)
    held: list[Any] = []

    def hold(route: Any) -> None:
        held.append(route)  # never answered

    page.route("**/predict", hold)
    page.click("#post-predict .try button.main")
    cancel = page.locator("#post-predict .try button", has_text="Cancel")
    cancel.click()
    page.wait_for_function("() => document.activeElement.textContent === 'Send'")
    assert page.inner_text(STATUS) == "Cancelled."
    assert not cancel.is_visible()


def test_an_answer_that_comes_late_is_not_shown_for_another_request(servers: Servers, pages: Pages) -> None:
    page = opened(servers, pages)
    held: list[Any] = []

    def answer(route: Any) -> None:
        if held:
            route.fulfill(body="second")
        else:
            held.append(route)

    page.route("**/predict", answer)
    with page.expect_request("**/predict"):
        page.click("#post-predict .try button.main")
    send(page, "200")
    assert page.inner_text(ANSWER) == "second"


def test_a_server_that_is_gone_is_told_and_its_last_answer_goes(servers: Servers, pages: Pages) -> None:
    page = opened(servers, pages)
    send(page, "200")
    page.route("**/predict", lambda route: route.abort())
    send(page, "The server does not answer")
    assert not page.locator(ANSWER).is_visible()
    pages.faults.clear()  # the console is told of a connection that failed


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [(503, "Starting", "Starting"), (200, "<html>", "What answers here is not JSON")],
    ids=["starting", "not the server"],
)
def test_a_document_that_is_not_there_can_be_asked_for_again(
    status: int, body: str, words: str, servers: Servers, pages: Pages
) -> None:
    page = pages.open(servers.url("sentiment"), "/docs")
    page.route("**/openapi.json", lambda route: route.fulfill(status=status, body=body))
    page.reload()
    page.wait_for_selector("#trouble:not([hidden])")
    assert page.inner_text("#trouble p >> nth=0").startswith(words)
    page.unroute("**/openapi.json")
    page.click("#again")
    page.wait_for_selector("#main:not([hidden])")
    assert not page.locator("#trouble").is_visible()


def test_a_request_is_sent_from_the_keyboard(servers: Servers, pages: Pages) -> None:
    page = opened(servers, pages)
    page.locator(BODY).focus()
    page.keyboard.press("Control+Enter")
    told(page, "200")


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_a_key_that_was_forgotten_can_be_given_again(path: str, own: Servers, pages: Pages) -> None:
    url = str(own.client("http", "sentiment", api_key="secret", metrics=False).http.base_url)
    page = pages.open(url, path)
    for _ in range(3):
        page.fill("#key", "secret")
        page.keyboard.press("Enter")
        page.wait_for_selector("#main:not([hidden])")
        page.click("#forget")
        assert page.locator("#ask-key").is_visible()


def test_the_key_of_one_page_is_that_of_the_other_and_in_no_command(own: Servers, pages: Pages) -> None:
    url = str(own.client("http", "sentiment", api_key="secret").http.base_url)
    page = pages.open(url)
    page.fill("#key", "secret")
    page.keyboard.press("Enter")
    page.click("text=API documentation")
    page.wait_for_selector("#post-predict")
    page.click("#post-predict summary")
    send(page, "200")
    assert '-H "Authorization: Bearer $API_KEY"' in page.inner_text(CURL)
    assert "secret" not in page.content()


def test_a_link_that_is_refused_shows_the_refusal(own: Servers, pages: Pages) -> None:
    url = str(own.client("http", "sentiment", api_key="secret").http.base_url)
    page = pages.open(url, "/docs")
    page.fill("#key", "secret")
    page.keyboard.press("Enter")
    page.wait_for_selector("#main:not([hidden])")
    page.evaluate("sessionStorage.setItem('encoderfile.key', 'other')")
    page.click("nav >> text=Metrics")
    page.wait_for_url("**/metrics")
    assert "key" in page.inner_text("body")
