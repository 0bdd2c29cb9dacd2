"""Extract with models that find the labels of the request (GLiNER)."""

import pytest

from support.dialects import Sie, SieServers, code
from support.kinds import cases


@pytest.fixture
def finds(sie: SieServers) -> Sie:
    return sie["gliner"]


def test_extract_finds_the_labels_of_the_request(finds: Sie) -> None:
    case = next(each for each in cases("gliner-span") if each.result["entities"])
    options = {key: case.fields[key] for key in ("threshold", "flat_ner", "multi_label")}
    response = finds.extract(case.text, labels=case.fields["labels"], options=options)
    assert response.status_code == 200, response.text
    (item,) = response.json()["items"]
    assert item["classifications"] == []
    assert all(entity.pop("bbox", 0) is None for entity in item["entities"])
    case.check({"entities": item["entities"]})


def test_a_text_with_too_many_words_is_refused_where_the_request_says_so(finds: Sie) -> None:
    long = "a " * 49
    response = finds.extract(long, labels=["person"], options={"overflow_policy": "error"})
    assert code(response) == (400, "INPUT_TOO_LONG")
    assert "more than 48 words" in response.json()["detail"]["message"]
    assert finds.extract(long, labels=["person"]).status_code == 200
