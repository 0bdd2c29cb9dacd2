"""Entities against transformers' own pipeline: groups, words, offsets and scores."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from encoderfile.errors import ConfigError
from encoderfile.service.limits import Limits
from encoderfile.service.service import Service
from encoderfile.tasks.abilities import Entity, Extracted
from encoderfile.tasks.entities import WordRules, entities, merged
from encoderfile.tasks.token_classification import TokenLabels
from encoderfile.types import Prediction, TokenInfo
from support.loop import in_loop
from support.models import expected, folders_with_truth, open_model
from support.truth import close

REFERENCE = json.loads(Path(__file__).with_name("entities.json").read_text(encoding="utf-8"))["models"]
CASES = [
    pytest.param(model, case, id=f"{model}-{index}-{case['strategy']}-{case['stride']}")
    for model, cases in REFERENCE.items()
    for index, case in enumerate(cases)
]
TOKEN_MODELS = [name for name, folder in folders_with_truth().items() if "ner" in name or "tok" in name]


async def extracted(model: str, texts: list[str], strategy: str, stride: int | None = None) -> Prediction[Extracted]:
    """What the service finds."""
    service = Service(open_model(folders_with_truth()[model]), Limits())
    service.start()
    try:
        return await service.extract(texts, strategy, stride)
    finally:
        await service.stop()


@pytest.mark.parametrize(("model", "case"), CASES)
@in_loop
async def test_entities_are_those_of_the_reference_pipeline(model: str, case: dict[str, Any]) -> None:
    extraction = await extracted(model, [case["text"]], case["strategy"], case["stride"])
    found = extraction.results[0].entities
    assert [[each.entity_group, each.word, each.start, each.end] for each in found] == [
        [group, word, start, end] for group, _, word, start, end in case["entities"]
    ]
    close([each.score for each in found], [each[1] for each in case["entities"]], 1e-4, case["text"])


@pytest.mark.parametrize("model", TOKEN_MODELS)
def test_entities_of_pytorch_logits_are_those_of_the_export(model: str) -> None:
    folder = folders_with_truth()[model]
    limit = open_model(folder).manifest.tokenizer.max_length
    for entry in expected(folder)["inputs"]:
        if entry["text_pair"] is not None:
            continue
        served = open_model(folder, None, entry["max_length"] if entry["max_length"] < limit else None)
        (result,) = served.run(served.encode([entry["text"]]))
        assert isinstance(result, TokenLabels)
        found = [each._asdict() for each in grouped(result, entry["text"], served.inputs.words, served.task.labels)]
        assert [each | {"score": None} for each in found] == [each | {"score": None} for each in entry["entities"]]
        close([each["score"] for each in found], [each["score"] for each in entry["entities"]], 1e-4, entry["id"])


def grouped(
    result: TokenLabels, text: str, words: WordRules, labels: Sequence[str], strategy: str = "simple"
) -> list[Entity]:
    return entities(result.tokens, result.logits, text, labels, strategy, words)


def found_in(*labels: str, strategy: str = "simple") -> list[Entity]:
    """The entities of a text of one word per label, a space between."""
    names = tuple(sorted(set(labels)))
    tokens = tuple(TokenInfo(f"w{i}", 9, 3 * i, 3 * i + 2) for i in range(len(labels)))
    logits = np.array([[4.0 if name == label else 0.0 for name in names] for label in labels], dtype=np.float32)
    result = TokenLabels(tokens, logits, logits, labels, logits.max(axis=1))
    words = WordRules(lambda _: "w", " ".join)
    return grouped(result, " ".join(token.token for token in tokens), words, names, strategy)


@pytest.mark.parametrize(
    ("labels", "groups"),
    [
        (("B-PER", "I-PER", "O", "I-PER"), [("PER", 0, 5), ("PER", 9, 11)]),
        (("B-PER", "B-PER"), [("PER", 0, 2), ("PER", 3, 5)]),
        (("I-PER", "I-LOC"), [("PER", 0, 2), ("LOC", 3, 5)]),
        (("I-PER", "B-PER", "I-PER"), [("PER", 0, 2), ("PER", 3, 8)]),
        (("NOUN", "NOUN", "VERB"), [("NOUN", 0, 5), ("VERB", 6, 8)]),
        (("B-A-B", "I-A-B"), [("A-B", 0, 5)]),
        (("O", "O"), []),
    ],
)
def test_neighbours_of_one_type_are_one_entity_unless_a_new_one_begins(
    labels: tuple[str, ...], groups: list[tuple[str, int, int]]
) -> None:
    assert [(each.entity_group, each.start, each.end) for each in found_in(*labels)] == groups


def test_the_average_of_a_word_may_be_a_label_that_none_of_its_tokens_has() -> None:
    logits = np.log(np.array([[0.5, 0.1, 0.4], [0.1, 0.5, 0.4]], dtype=np.float32))
    tokens = (TokenInfo("ab", 1, 0, 2), TokenInfo("##cd", 2, 2, 4))
    result = TokenLabels(tokens, logits, np.exp(logits), ("A", "B"), np.float32([0.5, 0.5]))
    rules = WordRules(lambda token_id: tokens[token_id - 1].token, "".join, "##")
    (found,) = grouped(result, "abcd", rules, ("A", "B", "C"), "average")
    assert found == Entity("C", pytest.approx(0.4, abs=1e-6), "ab##cd", 0, 4)


def test_an_unknown_strategy_is_named() -> None:
    with pytest.raises(ValueError, match="the strategy last is not known"):
        found_in("O", strategy="last")


def test_of_overlapping_windows_the_longer_entity_stays_and_then_the_surer() -> None:
    def entity(start: int, end: int, score: float) -> Entity:
        return Entity("PER", score, "w", start, end)

    windows = [[entity(0, 4, 0.5), entity(10, 14, 0.9)], [entity(2, 8, 0.4), entity(10, 14, 0.8), entity(20, 21, 1)]]
    assert merged(windows) == [entity(2, 8, 0.4), entity(10, 14, 0.9), entity(20, 21, 1)]


@in_loop
async def test_windows_reach_what_truncation_leaves_out() -> None:
    text = "Maria Kowalski of Siemens flew from Berlin to Paris . " * 30
    cut = await extracted("demo-ner", [text], "first")
    whole = await extracted("demo-ner", [text], "first", 16)
    assert cut.truncated_inputs == 1
    assert whole.truncated_inputs == 0
    assert len(whole.results[0].entities) == 120 > len(cut.results[0].entities)


@in_loop
async def test_a_stride_as_wide_as_a_window_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"a stride of 62 tokens is not possible: a window has 62"):
        await extracted("bert-tok", ["text"], "simple", 62)


def test_the_model_type_of_every_case_has_token_labels() -> None:
    assert {open_model(folders_with_truth()[name]).manifest.model_type for name in REFERENCE} == {
        "token_classification"
    }
