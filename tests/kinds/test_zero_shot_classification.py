"""GLiClass and NLI models choose from the labels of a request as their own libraries do."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from encoderfile.errors import InputError
from encoderfile.service.limits import Limits
from encoderfile.service.service import Service
from encoderfile.types import AskedPrompt, Prediction, PredictRequest
from support.controlled_models import Gated
from support.kinds import KINDS
from support.loop import in_loop
from support.models import expected, open_model
from support.serving import started
from support.zero_shot import Reference, averaged, columns, gliclass, pooled_by_mean, without_class_token

TYPE = "zero_shot_classification"
TOLERANCE = 1e-5

LABELS = {
    "few": ["travel", "dreams"],
    "some": ["positive", "negative", "neutral", "größe (東京)", "a b c"],
    "repeated": ["sport", "sport", ""],
}
TEXTS = ["Hello world!", "a", "The film was wonderful. I would happily watch it again.", "漢字 and <<LABEL>> too"]
LONG = "It was the best of times, it was the worst of times. " * 12


Asking = tuple[str, Mapping[str, Any]]


async def answers(folder: Path, asked: Sequence[Asking], limits: Limits | None = None) -> list[Prediction[Any]]:
    """What is answered to each text with its options, all asked at once."""
    async with started(Service(open_model(folder, TYPE), limits or Limits())) as service:
        requests = (PredictRequest([text], options, allow_empty=True) for text, options in asked)
        return list(await asyncio.gather(*map(service.predict, requests)))


def ask(folder: Path, asked: Sequence[Asking]) -> list[list[tuple[str, float]]]:
    """Labels and scores of each answer; each text is asked alone, too, and has the same answer."""
    together = asyncio.run(answers(folder, asked))
    found = []
    for one, among_others in zip(asked, together, strict=True):
        (alone,) = asyncio.run(answers(folder, [one]))
        found.append(pairs(alone))
        same(pairs(among_others), found[-1])
    return found


def pairs(prediction: Prediction[Any]) -> list[tuple[str, float]]:
    (result,) = prediction.results
    return list(zip(result.labels, map(float, result.scores), strict=True))


def same(got: Sequence[tuple[str, float]], wanted: Sequence[tuple[str, float]]) -> None:
    assert [label for label, _ in got] == [label for label, _ in wanted]
    np.testing.assert_allclose([score for _, score in got], [score for _, score in wanted], atol=TOLERANCE)


@in_loop
async def test_gliclass_answers_as_its_package_alone_and_together() -> None:
    truth = expected(KINDS["gliclass"])
    asked = [
        (
            truth["texts"][case["text_id"]],
            {
                "labels": truth["label_sets"][case["labels_id"]],
                "multi_label": case["classification_type"] == "multi-label",
                "threshold": case["threshold"] if case["classification_type"] == "multi-label" else 0.0,
            },
        )
        for case in truth["cases"]
    ]
    together = await answers(KINDS["gliclass"], asked)
    alone = [(await answers(KINDS["gliclass"], [each]))[0] for each in asked[::7]]
    for case, got in [*zip(truth["cases"], together, strict=True), *zip(truth["cases"][::7], alone, strict=True)]:
        wanted = sorted(((each["label"], each["score"]) for each in case["result"]), key=lambda pair: -pair[1])
        # The package gives the best label alone where only one may be right.
        same(pairs(got)[:1] if case["classification_type"] == "single-label" else pairs(got), wanted)


@pytest.mark.parametrize("name", ["nli", "nli-two", "nli-last"])
@in_loop
async def test_an_nli_model_answers_as_transformers_alone_and_together(name: str) -> None:
    truth = expected(KINDS[name])
    asked = [
        (
            truth["texts"][case["text_id"]],
            {
                "labels": truth["label_sets"][case["labels_id"]],
                "multi_label": case["multi_label"],
                "hypothesis_template": truth["templates"][case["template_id"]],
            },
        )
        for case in truth["cases"]
    ]
    together = await answers(KINDS[name], asked)
    alone = [(await answers(KINDS[name], [each]))[0] for each in asked[::7]]
    for case, got in [*zip(truth["cases"], together, strict=True), *zip(truth["cases"][::7], alone, strict=True)]:
        same(pairs(got), list(zip(case["labels"], case["scores"], strict=True)))


FORMS = {
    "as it is": ((), {}),
    "25 columns": ((columns(25),), {}),
    "text first": ((), {"prompt_first": False}),
    "text first, 25 columns": ((columns(25),), {"prompt_first": False}),
    "without the class token": ((without_class_token,), {"embed_class_token": False}),
    "averaged": ((averaged,), {"class_token_pooling": "average"}),
    "averaged, text first": ((averaged,), {"class_token_pooling": "average", "prompt_first": False}),
    "mean pooling": ((pooled_by_mean,), {"pooling_strategy": "avg"}),
    "mean pooling, text first": ((pooled_by_mean,), {"pooling_strategy": "avg", "prompt_first": False}),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_gliclass_model_of_another_form_answers_as_its_package(form: str, tmp_path: Path) -> None:
    changes, config = FORMS[form]
    folder = gliclass(tmp_path / "model", *changes, **config)
    # With as many columns as labels, for that is how the package asks.
    references = {
        name: Reference(folder, columns(len(labels)), prompt_first=config.get("prompt_first", True), max_length=96)
        for name, labels in LABELS.items()
    }
    sets = [(text, name) for text in [*TEXTS, LONG] for name in LABELS]
    asked = [
        (text, {"labels": LABELS[name], "multi_label": several}) for text, name in sets for several in (False, True)
    ]
    wanted = []
    for text, name in sets:
        logits = references[name].logits(text, LABELS[name]).astype(np.float64)
        softmax, sigmoid = np.exp(logits) / np.exp(logits).sum(), 1 / (1 + np.exp(-logits))
        for scores in (softmax, sigmoid):
            order = np.argsort(-scores.astype(np.float32), kind="stable")
            wanted.append([(LABELS[name][each], float(scores[each])) for each in order])
    for got, right in zip(ask(folder, asked), wanted, strict=True):
        same(got, right)


@in_loop
async def test_a_prompt_stands_between_the_labels_and_the_text_of_a_gliclass_model() -> None:
    folder, labels, said = KINDS["gliclass"], LABELS["some"], "What is this about? "
    reference = Reference(folder, prompt_first=True, max_length=96).logits("Hello world!", labels, said)
    async with started(Service(open_model(folder), Limits())) as service:
        asked = PredictRequest(["Hello world!"], {"labels": labels}, prompt=AskedPrompt(text=said))
        got = pairs(await service.predict(asked))
    assert dict(got)[labels[0]] == pytest.approx(float(np.exp(reference[0]) / np.exp(reference).sum()), abs=TOLERANCE)


@pytest.mark.parametrize("name", ["gliclass", "nli"])
@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"labels": []}, "labels is empty"),
        ({"labels": ["a"] * 1001}, "at most 1000 labels"),
        ({"labels": ["a", "\ud800"]}, r"labels\[1\] holds a lone surrogate"),
        ({"labels": ["a"], "threshold": float("nan")}, "threshold should be a number"),
    ],
)
@in_loop
async def test_labels_that_cannot_be_read_are_refused(name: str, options: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        await answers(KINDS[name], [("text", options)])


@pytest.mark.parametrize(
    "template",
    ["no place", "{} and {}", "{label}", "{:9999999999}", "{0.__class__}", "{!r}", "{", "}", "{} \ud800", ""],
)
@in_loop
async def test_a_template_that_is_not_one_place_for_a_label_is_refused(template: str) -> None:
    with pytest.raises(InputError, match="hypothesis_template"):
        await answers(KINDS["nli"], [("text", {"labels": ["a"], "hypothesis_template": template})])


@in_loop
async def test_a_template_may_have_braces_and_a_numbered_place() -> None:
    template = {"labels": ["a"], "hypothesis_template": "This example is {{{0}}}."}
    plain, odd = await answers(KINDS["nli"], [("text", {"labels": ["{a}"]}), ("text", template)])
    assert pairs(plain)[0][1] == pairs(odd)[0][1]


@in_loop
async def test_what_only_the_other_way_of_reading_takes_is_refused() -> None:
    with pytest.raises(InputError, match="without hypothesis_template"):
        await answers(KINDS["gliclass"], [("text", {"labels": ["a"], "hypothesis_template": "{}"})])
    with pytest.raises(InputError, match="labels should be a list of strings"):
        await answers(KINDS["gliclass"], [("text", {"labels": "a, b"})])


@in_loop
async def test_a_graph_with_a_fixed_number_of_columns_refuses_more_labels(tmp_path: Path) -> None:
    folder = gliclass(tmp_path / "model", columns(25))
    with pytest.raises(InputError, match="at most 25 labels, got 26"):
        await answers(folder, [("text", {"labels": [str(each) for each in range(26)]})])


@in_loop
async def test_a_long_template_for_many_labels_is_refused_before_it_is_filled_in() -> None:
    template = "x" * 100_000 + "{}"
    with pytest.raises(InputError, match="at most 1048576 characters"):
        await answers(KINDS["nli"], [("text", {"labels": ["a"] * 1000, "hypothesis_template": template})])


@in_loop
async def test_labels_before_many_texts_count_as_characters_of_the_request() -> None:
    async with started(Service(open_model(KINDS["gliclass"]), Limits(max_characters=10_000))) as service:
        with pytest.raises(InputError, match="at most 10000 characters per request"):
            await service.predict(PredictRequest(["text"] * 100, {"labels": ["a" * 100]}))


@in_loop
async def test_a_threshold_leaves_out_labels_with_a_lower_score() -> None:
    every, none = await answers(
        KINDS["gliclass"],
        [("text", {"labels": ["b", "a", "b"], "threshold": threshold}) for threshold in (-1.0, 1.5)],
    )
    assert len(pairs(every)) == 3
    assert pairs(none) == []


@in_loop
async def test_a_request_with_many_labels_does_not_keep_others_waiting() -> None:
    many = {"labels": [f"label {number}" for number in range(1000)]}
    model = Gated(open_model(KINDS["nli"], TYPE))
    async with started(Service(model, Limits(max_batch_tokens=256))) as service:
        large = asyncio.ensure_future(service.predict(PredictRequest(["a long one"], many)))
        await asyncio.to_thread(model.wait_until_encoded)
        small = asyncio.ensure_future(service.predict(PredictRequest(["a short one"], {"labels": ["a"]})))
        await asyncio.to_thread(model.wait_until_encoded)
        model.open()
        await small
        assert not large.done()
        assert len((await large).results[0].labels) == 1000
