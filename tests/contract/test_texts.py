"""Texts of every kind are answered, and offsets count code points of the caller's own text."""

import re

import pytest

from support.model_types import OF_EACH_TYPE
from support.servers import Connect

ODD = {
    "white space alone": " \t\n ",
    "one space": " ",
    "control characters": "a\x00b\x07c\x1b[31mred\x7f",
    "right to left": "שלום עולם مرحبا بالعالم",
    "direction marks": "\u202eabc\u202c \u200fdef",
    "emoji": "👨‍👩‍👧‍👦 🇨🇭 👍🏽",
    "combining marks": "e\u0301 Z\u0308u\u0308rich",
    "unknown scripts": "𐎀𐎁 ꙮ ጀ",
    "byte order mark": "\ufeffhello",
    "private use and noncharacters": "\ue000 \uffff \U0010ffff",
    "a newline": "one\r\ntwo",
    "quotes and slashes": '"\\/"}]',
    "one letter": "a",
}

WITH_WIDE_CHARACTERS = [
    "😀 Anna lives in Paris",
    "שלום Anna lives in Zürich",
    "naïve café in 東京 and Paris",
    "👨‍👩‍👧‍👦 Anna\tlives\n in  Paris 🇨🇭 today",
]


@pytest.mark.proves(
    "ENC Beyond the page",
    "Control characters, right-to-left text, emoji, white space",
    here="Answered.",
)
@pytest.mark.parametrize("name", OF_EACH_TYPE)
def test_every_kind_of_text_is_answered(name: str, connect: Connect) -> None:
    assert len(connect(name).predict(list(ODD.values()), normalize=True).results) == len(ODD)


@pytest.mark.proves("ENC Beyond the page", "Control characters, right-to-left text, emoji, white space")
@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_every_kind_of_text_is_answered_alone(text: str, connect: Connect) -> None:
    (result,) = connect("ner").predict([text]).results
    for token in result["tokens"]:
        info = token["token_info"]
        assert 0 <= info["start"] < info["end"] <= len(text)


@pytest.mark.proves("ENC Beyond the page", "Control characters, right-to-left text, emoji, white space")
def test_white_space_alone_has_no_tokens_but_its_special_ones(connect: Connect) -> None:
    (labelled,) = connect("ner").predict([" \n "]).results
    assert labelled == {"tokens": []}
    (embedded,) = connect("embed-tokens").predict([" \n "], normalize=True).results
    assert [each["token_info"]["token"] for each in embedded["embeddings"]] == ["[CLS]", "[SEP]"]


@pytest.mark.proves("ENC POST /predict", "`start` and `end` are character offsets")
@pytest.mark.parametrize("text", WITH_WIDE_CHARACTERS)
@pytest.mark.parametrize("name", ["ner", "embed-tokens"])
def test_offsets_count_code_points_whatever_stands_before(name: str, text: str, connect: Connect) -> None:
    (result,) = connect(name).predict([text], normalize=True).results
    infos = [each["token_info"] for each in result.get("tokens") or result["embeddings"]]
    starts, ends = {each["start"] for each in infos}, {each["end"] for each in infos}
    words = list(re.finditer(r"[A-Za-zïéü]+", text))
    assert words
    for word in words:
        assert word.start() in starts, word
        assert word.end() in ends, word


@pytest.mark.proves("ENC POST /predict", "`start` and `end` are character offsets")
@pytest.mark.parametrize("name", ["bert-tok", "xlmr-tok"])
def test_offsets_find_the_word_in_the_text(name: str, connect: Connect) -> None:
    text = "😀😀 the person"
    (result,) = connect(name).predict([text]).results
    last = result["tokens"][-1]["token_info"]
    assert last["end"] == len(text)
    assert text.endswith(text[last["start"] : last["end"]])
