"""`/v1/tokenize` and `/v1/detokenize`: the tokens of this model, and texts of them."""

from typing import Any

import pytest

from support.dialects import Sie, SieServers

TEXTS = ["Hello world", "  Zürich,\t東京 😀! ", "unaffordability"]


@pytest.mark.parametrize("text", TEXTS)
def test_the_parts_of_a_text_are_the_text(text: str, dense: Sie) -> None:
    found = dense.post("/v1/tokenize", {"text": text, "model": dense.id})
    assert found.status_code == 200, found.text
    body = found.json()
    assert set(body) == {"tokens", "token_strings", "meta"}
    assert "".join(body["token_strings"]) == text
    assert len(body["token_strings"]) == len(body["tokens"])
    spelled = dense.post("/tokenize", {"inputs": text, "add_special_tokens": False}).json()[0]
    assert body["tokens"] == [each["id"] for each in spelled]


@pytest.mark.parametrize("kind", ["labels", "ner", "cross", "colbert", "gliner"])
def test_a_text_of_a_model_that_takes_no_prompt_is_tokenized(kind: str, sie: SieServers) -> None:
    found = sie[kind].post("/v1/tokenize", {"text": "Hello world"})
    assert found.status_code == 200, found.text
    assert "".join(found.json()["token_strings"]) == "Hello world"


def test_tokens_become_the_text_again(dense: Sie) -> None:
    ids = dense.post("/v1/tokenize", {"text": "hello world"}).json()["tokens"]
    found = dense.post("/v1/detokenize", {"tokens": ids, "model": dense.id})
    assert found.json() == {"text": "hello world", "meta": {"api_version": {"version": "1"}, "billed_units": {}}}


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("/v1/tokenize", {"text": ""}, 400, "empty"),
        ("/v1/tokenize", {"text": "a", "model": "other"}, 404, "other"),
        ("/v1/tokenize", {"text": "a" * 200_000}, 400, "at most"),
        ("/v1/tokenize", {}, 400, "text"),
        ("/v1/detokenize", {"tokens": []}, 400, "no token ids"),
        ("/v1/detokenize", {"tokens": [10**6]}, 400, "1000000"),
        ("/v1/detokenize", {"tokens": [5], "model": "other"}, 404, "other"),
    ],
    ids=["empty", "model", "long", "none", "no-tokens", "outside", "model-of-tokens"],
)
def test_a_refusal_has_coheres_shape(path: str, body: dict[str, Any], status: int, words: str, dense: Sie) -> None:
    refused = dense.post(path, body)
    assert (refused.status_code, set(refused.json())) == (status, {"message"})
    assert words in refused.json()["message"]
