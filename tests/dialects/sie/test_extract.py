"""Extract: entities from token labels, classifications from sequence labels, always under the same five keys."""

from typing import Any

import pytest

from support.clients import exact
from support.dialects import Sie, SieServers, code, renamed, unpacked
from support.models import DEMO, expected, open_model

KEYS = {"id", "entities", "relations", "classifications", "objects", "data"}
TEXT = "John lives in Paris and Mary in Berlin."


def entities(response: Any) -> list[Any]:
    found: list[Any] = response.json()["items"][0]["entities"]
    return found


@pytest.mark.proves("SIE POST /v1/extract/:model", "items are required; each answer has its id")
@pytest.mark.proves(
    "SIE POST /v1/extract/:model", "relations, objects, data", here="Always empty: no such models here."
)
def test_every_item_has_its_id_and_the_five_keys(ner: Sie, labels: Sie) -> None:
    for client in (ner, labels):
        body = {"items": [{"text": "a"}, {"id": "z", "text": "b"}]}
        answer = client.post(f"/v1/extract/{client.id}", body).json()
        assert set(answer) == {"model", "items"}
        assert [item["id"] for item in answer["items"]] == ["item-0", "z"]
        for item in answer["items"]:
            assert set(item) == KEYS
            assert (item["relations"], item["objects"], item["data"]) == ([], [], {})


@pytest.mark.proves("SIE POST /v1/extract/:model", "entities: text, label, score, start, end, bbox")
def test_entities_are_spans_of_the_text(ner: Sie) -> None:
    found = entities(ner.extract(TEXT))
    assert [(each["text"], each["label"]) for each in found] == [
        ("John", "PER"),
        ("Paris", "LOC"),
        ("Mary", "PER"),
        ("Berlin", "LOC"),
    ]
    for each in found:
        assert set(each) == {"text", "label", "score", "start", "end", "bbox"}
        assert each["text"] == TEXT[each["start"] : each["end"]]
        assert 0 <= each["score"] <= 1
        assert each["bbox"] is None


@pytest.mark.proves("SIE POST /v1/extract/:model", "entities: text, label, score, start, end, bbox")
def test_entities_are_those_of_the_reference_pipeline(ner: Sie) -> None:
    truth = [each for each in expected(DEMO["ner"])["inputs"] if each["text"] and each.get("text_pair") is None]
    for each in truth:
        if each["truncated"]:
            continue
        found = entities(ner.extract(each["text"]))
        wanted = each["entities"]
        assert [(e["label"], e["start"], e["end"]) for e in found] == [
            (e["entity_group"], e["start"], e["end"]) for e in wanted
        ], each["id"]
        for mine, theirs in zip(found, wanted, strict=True):
            assert mine["score"] == pytest.approx(theirs["score"], abs=1e-4)


@pytest.mark.proves(
    "SIE POST /v1/extract/:model",
    "params.labels: entity types",
    here="The model has its own labels, so these filter; they may be left out.",
)
@pytest.mark.parametrize("labels", [["LOC"], ["loc"], ["LOC", "nothing"]])
def test_labels_let_only_those_entities_through(labels: list[str], ner: Sie) -> None:
    assert [each["text"] for each in entities(ner.extract(TEXT, labels=labels))] == ["Paris", "Berlin"]


@pytest.mark.proves("SIE POST /v1/extract/:model", "params.labels: entity types")
@pytest.mark.parametrize("labels", [None, []])
def test_without_labels_every_entity_comes(labels: Any, ner: Sie) -> None:
    assert len(entities(ner.extract(TEXT, labels=labels))) == 4


@pytest.mark.proves("SIE POST /v1/extract/:model", "params.labels: entity types")
def test_a_label_that_the_model_does_not_have_finds_nothing(ner: Sie) -> None:
    assert entities(ner.extract(TEXT, labels=["nothing"])) == []


@pytest.mark.parametrize("where", ["options", "params"])
def test_a_threshold_lets_only_sure_answers_through(where: str, labels: Sie) -> None:
    params: dict[str, Any] = {"threshold": 0.5} if where == "params" else {"options": {"threshold": 0.5}}
    (item,) = labels.extract("great", **params).json()["items"]
    assert [each["score"] >= 0.5 for each in item["classifications"]] == [True]


@pytest.mark.proves("SIE POST /v1/extract/:model", "classifications: label, score")
def test_classifications_hold_every_label_best_first(labels: Sie) -> None:
    (item,) = labels.extract("This film is great.").json()["items"]
    scores = [each["score"] for each in item["classifications"]]
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) == pytest.approx(1, abs=1e-5)
    assert item["entities"] == []
    (truth,) = labels.ready_made(["This film is great."])
    assert sorted(exact(scores)) == sorted(truth["scores"])
    assert item["classifications"][0]["label"] == truth["predicted_label"]


def test_negative_values_of_a_regression_are_in_the_answer_too(own: SieServers) -> None:
    served = own.serve(renamed(own.model("labels"), regression=True))
    (item,) = served.extract("This is awful.").json()["items"]
    logits = served.http.predict(["This is awful."]).results[0]["logits"]
    assert [each["score"] for each in item["classifications"]] == sorted(logits, reverse=True)
    assert min(logits) < 0


@pytest.mark.proves("SIE POST /v1/extract/:model", "params.labels: entity types")
def test_labels_let_only_those_classifications_through(labels: Sie) -> None:
    (item,) = labels.extract("great", labels=["negative"]).json()["items"]
    assert [each["label"] for each in item["classifications"]] == ["NEGATIVE"]


def test_msgpack_holds_plain_values(ner: Sie) -> None:
    content = unpacked(ner.post(f"/v1/extract/{ner.id}", {"items": [{"text": TEXT}]}, {}))
    assert [type(each["score"]) for each in content["items"][0]["entities"]] == [float] * 4


LONG = "John lives in Paris. " * 300


@pytest.mark.proves(
    "SIE POST /v1/extract/:model",
    "options.overflow_policy: default, truncate_text, error; INPUT_TOO_LONG",
    here="default refuses a long text for a GLiClass model; for others it is what `--overflow` says.",
)
@pytest.mark.parametrize("policy", ["default", "truncate_text"])
def test_a_long_text_is_truncated_unless_told_otherwise(policy: str, ner: Sie) -> None:
    response = ner.extract(LONG, options={"overflow_policy": policy})
    assert (response.status_code, response.headers["x-truncated-inputs"]) == (200, "1")


@pytest.mark.proves(
    "SIE POST /v1/extract/:model", "options.overflow_policy: default, truncate_text, error; INPUT_TOO_LONG"
)
@pytest.mark.proves("SIE Errors", "INPUT_TOO_LONG, 400")
def test_a_long_text_is_refused_when_asked_for(ner: Sie) -> None:
    response = ner.extract("short", LONG, options={"overflow_policy": "error"})
    assert code(response) == (400, "INPUT_TOO_LONG")
    assert response.json()["detail"]["message"].startswith("Invalid input: inputs[1] has more than 256 tokens")


@pytest.mark.proves(
    "SIE POST /v1/extract/:model", "options.overflow_policy: default, truncate_text, error; INPUT_TOO_LONG"
)
def test_the_servers_overflow_is_the_default_policy(own: SieServers) -> None:
    from encoderfile.service.limits import Limits

    strict = own.serve(own.model("ner"), Limits(refuse_overflow=True))
    assert code(strict.extract(LONG)) == (400, "INPUT_TOO_LONG")
    assert strict.extract(LONG, options={"overflow_policy": "truncate_text"}).status_code == 200


@pytest.mark.proves(
    "SIE POST /v1/extract/:model",
    "params.output_schema: structured extraction",
    here="No model here fills a schema: 400.",
)
@pytest.mark.proves(
    "SIE POST /v1/extract/:model", "options.overflow_policy: default, truncate_text, error; INPUT_TOO_LONG"
)
@pytest.mark.parametrize(
    "params",
    [
        {"options": {"overflow_policy": "zz"}},
        {"options": {"overflow_policy": ["error"]}},
        {"options": {"profile": "zz"}},
        {"options": {"lora_id": "zz"}},
        {"options": {"aggregation_strategy": "zz"}},
        {"options": {"threshold": "high"}},
        {"labels": "PER"},
        {"labels": [1]},
        {"output_schema": {"type": "object"}},
        {"instruction": "Find"},
        {"options": {"multi_label": True}},
        {"options": {"hypothesis_template": "This is {}."}},
    ],
)
def test_params_that_cannot_be_followed_are_refused(params: dict[str, Any], ner: Sie) -> None:
    assert code(ner.extract("a", **params)) == (400, "INVALID_INPUT")


def test_the_way_of_grouping_may_be_chosen(ner: Sie) -> None:
    found = entities(ner.extract(TEXT, options={"aggregation_strategy": "none"}))
    assert found[0]["label"].startswith("B-")


@pytest.mark.parametrize("kind", ["dense", "tokens", "sparse"])
def test_a_model_of_vectors_extracts_nothing(kind: str, sie: SieServers) -> None:
    assert code(sie[kind].extract("a")) == (400, "INVALID_INPUT")


@pytest.mark.proves("SIE POST /v1/extract/:model", "items are required; each answer has its id")
@pytest.mark.parametrize("item", [{"text": ""}, {}, "x", {"text": "a", "images": "x"}])
def test_an_item_without_text_is_refused(item: Any, ner: Sie) -> None:
    assert code(ner.post(f"/v1/extract/{ner.id}", {"items": [item]})) == (400, "INVALID_INPUT")


def test_independent_labels_have_independent_scores(own: SieServers) -> None:
    several = own.serve(renamed(open_model(DEMO["sentiment"]), multi_label=True))
    (item,) = several.extract("great").json()["items"]
    assert sum(each["score"] for each in item["classifications"]) != pytest.approx(1, abs=1e-3)
