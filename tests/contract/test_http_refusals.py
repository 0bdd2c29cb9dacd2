"""HTTP: whatever is wrong with a body is 422 and one sentence of plain text; the rest as HTTP has it."""

import json

import pytest

from support.clients import HttpClient
from support.servers import Servers

INVALID = "Invalid input: "

BROKEN = {
    "nothing": b"",
    "no JSON": b"{inputs:",
    "cut JSON": b'{"inputs": ["a"',
    "more behind the JSON": b'{"inputs": ["a"]} {}',
    "no Unicode": b'{"inputs": ["\xff\xfe"]}',
    "a lone surrogate": b'{"inputs": ["\\ud800"]}',
    "a lone surrogate in bytes": b'{"inputs": ["\xed\xa0\x80"]}',
    "a lone surrogate in metadata": b'{"inputs": ["a"], "metadata": {"k": "\\udfff"}}',
    "not a number": b'{"inputs": ["a"], "other": NaN}',
    "very deep": b'{"inputs": ' + b"[" * 5000 + b"]" * 5000 + b"}",
}

WRONG = {
    "a list": (["a"], "the body should be an object, got a list"),
    "a text": ("a", "the body should be an object, got a string"),
    "null": (None, "the body should be an object, got null"),
    "no inputs": ({"texts": ["a"]}, "the field inputs is missing"),
    "inputs is null": ({"inputs": None}, "inputs should be a list, got null"),
    "inputs is a number": ({"inputs": 1}, "inputs should be a list, got a number"),
    "inputs is an object": ({"inputs": {"0": "a"}}, "inputs should be a list, got an object"),
    "an input is a number": ({"inputs": ["a", 1]}, "inputs[1] should be a string or an object, got a number"),
    "an input is null": ({"inputs": [None]}, "inputs[0] should be a string or an object, got null"),
    "an input is true": ({"inputs": [True]}, "inputs[0] should be a string or an object, got a boolean"),
    "metadata is a list": ({"inputs": ["a"], "metadata": []}, "metadata should be an object, got a list"),
    "metadata has a number": (
        {"inputs": ["a"], "metadata": {"k": 1}},
        "metadata[...] should be a string, got a number",
    ),
    "metadata has null": ({"inputs": ["a"], "metadata": {"k": None}}, "metadata[...] should be a string, got null"),
}

NORMALIZE = {
    "missing": ({}, "the field normalize is missing"),
    "null": ({"normalize": None}, "normalize should be true or false, got null"),
    "a text": ({"normalize": "true"}, "normalize should be true or false, got a string"),
    "a number": ({"normalize": 1}, "normalize should be true or false, got a number"),
}


@pytest.fixture
def http(servers: Servers) -> HttpClient:
    client: HttpClient = servers.shared("http", "sentiment")
    return client


@pytest.mark.proves("ENC POST /predict", "Status 422 for invalid input")
@pytest.mark.proves("ENC Errors", "HTTP: the status and the message as `text/plain`")
@pytest.mark.proves("ENC Beyond the page", "Damaged messages")
@pytest.mark.proves("ENC Beyond the page", "Lone surrogates", here="Invalid input.")
@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_a_body_that_cannot_be_read_is_invalid_input(body: bytes, http: HttpClient) -> None:
    response = http.post(body)
    assert response.status_code == 422
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.text.startswith(f"{INVALID}the body is not valid JSON")
    assert "\n" not in response.text


@pytest.mark.proves("ENC HTTP", "Errors have an HTTP status and a message")
@pytest.mark.proves("ENC POST /predict", "`inputs`: required, a list of strings", "Status 422 for invalid input")
@pytest.mark.proves("ENC Errors", "HTTP: the status and the message as `text/plain`")
@pytest.mark.parametrize(("body", "reason"), WRONG.values(), ids=WRONG)
def test_a_body_of_the_wrong_shape_is_told_what_was_found(body: object, reason: str, http: HttpClient) -> None:
    response = http.post(json.dumps(body))
    assert (response.status_code, response.text) == (422, INVALID + reason)
    assert response.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.proves("ENC POST /predict, embedding", "`normalize`: required, whether vectors get unit L2 norm")
@pytest.mark.parametrize(("normalize", "reason"), NORMALIZE.values(), ids=NORMALIZE)
def test_embeddings_need_a_boolean_normalize(normalize: dict[str, object], reason: str, servers: Servers) -> None:
    response = servers.shared("http", "embed-tokens").post(json.dumps({"inputs": ["a"], **normalize}))
    assert (response.status_code, response.text) == (422, INVALID + reason)


@pytest.mark.parametrize(("normalize", "status"), [(None, 200), (True, 200), ("true", 422)])
def test_sentence_embeddings_take_a_boolean_normalize_or_none(
    normalize: object, status: int, servers: Servers
) -> None:
    response = servers.shared("http", "embed").post(json.dumps({"inputs": ["a"], "normalize": normalize}))
    assert response.status_code == status


@pytest.mark.parametrize("extra", [{"normalize": "whatever"}, {"options": {"top_k": 3}}, {"metadata": None}])
def test_fields_that_nobody_knows_are_ignored(extra: dict[str, object], http: HttpClient) -> None:
    plain = http.post(json.dumps({"inputs": ["a"]}))
    assert plain.status_code == 200
    assert http.post(json.dumps({"inputs": ["a"], **extra})).content == plain.content


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""]
)
def test_another_content_type_is_415(content_type: str | None, http: HttpClient) -> None:
    response = http.post(b'{"inputs": ["a"]}', content_type)
    assert (response.status_code, response.text) == (415, "Expected request with `Content-Type: application/json`")
    assert response.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON", "application/vnd.api+json"]
)
def test_every_spelling_of_json_is_taken(content_type: str, http: HttpClient) -> None:
    assert http.post(b'{"inputs": ["a"]}', content_type).status_code == 200


@pytest.mark.parametrize("path", ["/predict/", "/predicts", "/health/x", "/v2"])
def test_a_path_that_is_not_there_is_404(path: str, http: HttpClient) -> None:
    response = http.get(path)
    assert response.status_code == 404
    assert response.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/predict", {"POST"}),
        ("PUT", "/predict", {"POST"}),
        ("POST", "/health", {"GET", "HEAD"}),
        ("DELETE", "/model", {"GET", "HEAD"}),
    ],
)
def test_another_method_is_405_and_says_which_are_allowed(
    method: str, path: str, allowed: set[str], http: HttpClient
) -> None:
    response = http.request(method, path)
    assert response.status_code == 405
    assert set(response.headers["allow"].split(", ")) == allowed
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
