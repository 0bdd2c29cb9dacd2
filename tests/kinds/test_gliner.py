"""GLiNER models find the entities that a request names as their package does, and what cannot be done is refused."""

import asyncio
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from encoderfile.builder.trial_runs import TEXTS, example
from encoderfile.errors import EncoderfileError, InputError
from encoderfile.model.text_inputs import TextInputs
from encoderfile.service.limits import Limits
from encoderfile.service.service import Service
from encoderfile.tasks.gliner import word_numbers, word_places
from encoderfile.tasks.results import Result, numbers, to_json
from encoderfile.types import Asked, PredictRequest
from support.graphs import edit_json
from support.kinds import KINDS, Case, cases
from support.loop import in_loop
from support.models import checked, open_model
from support.serving import started

TYPE = "zero_shot_token_classification"
NAMES = [name for name in KINDS if name.startswith("gliner")]


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def answers(folder: Path, asked: Sequence[Case]) -> list[dict[str, Any]]:
    """What is answered to each case, all asked at once."""
    async with started(Service(open_model(folder, TYPE), Limits())) as service:
        requests = (PredictRequest([case.text], case.fields) for case in asked)
        return [to_json(each.results[0]) for each in await asyncio.gather(*map(service.predict, requests))]


@in_loop
async def test_entities_are_those_of_the_package_alone_and_together(name: str) -> None:
    every = cases(name)
    for case, found in zip(every, await answers(KINDS[name], every), strict=True):
        case.check(found)
    for case in every[::25]:
        case.check(*await answers(KINDS[name], [case]))


def changed(folder: Path, name: str, **config: Any) -> Path:
    """A copy with another configuration; None leaves a key out."""
    shutil.copytree(KINDS[name], folder)
    edit_json(folder, "gliner_config.json", **config)
    return folder


def same(folder: Path, name: str) -> None:
    """Fails where the folder answers otherwise than that of the package."""
    some = cases(name)[::17]
    for case, found in zip(some, asyncio.run(answers(folder, some)), strict=True):
        case.check(found)


FORMS: dict[str, Mapping[str, Any]] = {
    "no class_token_index": {"class_token_index": -1},
    "no vocabulary size": {"vocab_size": -1},
    "no names of the markers": {"ent_token": None, "sep_token": None},
    "an encoder_config": {"encoder_config": {"model_type": "deberta-v2", "num_attention_heads": 4}},
    "no encoder_config": {"encoder_config": None},
}


@pytest.mark.parametrize("form", FORMS)
def test_other_forms_of_the_configuration_are_read(form: str, name: str, tmp_path: Path) -> None:
    folder = changed(tmp_path / "model", name, **FORMS[form])
    (folder / "config.json").unlink(missing_ok=True)
    same(folder, name)


@pytest.mark.parametrize("name", ["gliner-token", "gliner-token-old"])
def test_the_layout_of_token_scores_is_found_where_the_graph_does_not_say_it(name: str, tmp_path: Path) -> None:
    folder = changed(tmp_path / "model", name)
    path = folder / "onnx" / "model.onnx"
    model = onnx.load(path)
    for place, axis in enumerate(model.graph.output[0].type.tensor_type.shape.dim):
        axis.Clear()
        axis.dim_param = ("position", "batch_size", "sequence_length", "num_classes")[place]
    onnx.save(model, path)
    same(folder, name)


REFUSED: dict[str, tuple[Mapping[str, Any], str]] = {
    "another word splitter": ({"words_splitter_type": "spacy"}, "word splitter spacy"),
    "a bi-encoder": ({"labels_encoder": "sentence-transformers/all-MiniLM-L6-v2"}, "bi-encoders"),
    "an unknown pooling of tokens": ({"subtoken_pooling": "sum"}, "subtoken_pooling"),
    "a marker of another vocabulary": ({"class_token_index": 5}, "class_token_index"),
    "a marker that is not in the vocabulary": ({"ent_token": "<<E>>"}, "<<E>>"),
}


@pytest.mark.parametrize("form", REFUSED)
def test_what_cannot_be_done_is_refused_by_the_builder(form: str, name: str, tmp_path: Path) -> None:
    config, words = REFUSED[form]
    with pytest.raises(EncoderfileError) as refused:
        checked(changed(tmp_path / "model", name, **config))
    assert words in str(refused.value)


def test_a_graph_without_the_inputs_of_its_level_is_refused(tmp_path: Path) -> None:
    folder = changed(tmp_path / "model", "gliner-token", span_mode="markerV0")
    with pytest.raises(EncoderfileError, match="does not take span_idx, span_mask"):
        checked(folder)


def test_spans_of_other_widths_than_the_graph_has_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderfileError):
        checked(changed(tmp_path / "model", "gliner-span", max_width=9))


def inputs_of(name: str, folder: Path | None = None) -> TextInputs:
    return open_model(folder or KINDS[name], TYPE).inputs


WORD_IDS = np.array([-1, 0, 1, 1, 2, 4, 4, 4, 5, 6, 6, -1])
"""Of a prompt of three words, of which the last has no tokens, and of four words, of which the first has none."""
STANDING = {
    "first": [0, 0, 0, 0, 0, 1, 0, 0, 2, 3, 0, 0],
    "last": [0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 3, 0],
    "mean": [0, 0, 0, 0, 0, 1, 1, 1, 2, 3, 3, 0],
    "max": [0, 0, 0, 0, 0, 1, 1, 1, 2, 3, 3, 0],
}


@pytest.mark.parametrize("pooling", STANDING)
def test_the_tokens_that_stand_for_a_word_are_those_of_subtoken_pooling(pooling: str, tmp_path: Path) -> None:
    found = checked(changed(tmp_path / "model", "gliner-token", subtoken_pooling=pooling))
    subtokens = found.manifest.task["subtokens"]
    assert word_numbers(WORD_IDS, 3, subtokens).tolist() == STANDING[pooling]


def test_words_beyond_the_maximum_count_as_truncated(name: str) -> None:
    inputs = inputs_of(name)
    limit = json.loads((KINDS[name] / "gliner_config.json").read_text())["max_len"]
    asked = Asked(options={"labels": ["person"]})
    short, long = inputs.encode(["a " * limit, "a " * (limit + 1)], asked)
    assert (short.truncated, long.truncated) == (False, True)
    np.testing.assert_array_equal(short.input_ids, long.input_ids)


@in_loop
async def test_a_text_without_words_has_no_entities(name: str) -> None:
    async with started(Service(open_model(KINDS[name], TYPE), Limits())) as service:
        request = PredictRequest([" \n ", "Ada lives in Paris."], {"labels": ["person"], "threshold": 0.0})
        empty, full = (await service.predict(request)).results
    assert not len(empty.scores)
    assert len(full.scores)


BAD: dict[str, tuple[Mapping[str, Any], str]] = {
    "no labels": ({"labels": []}, "labels is empty"),
    "a lone surrogate": ({"labels": ["\ud800"]}, r"labels\[0\] holds a lone surrogate"),
    "too many labels": ({"labels": ["a"] * 1001}, "at most 1000 labels"),
    "too many characters": ({"labels": ["a" * (1 << 17)]}, "hold 13109"),
    "no number": ({"labels": ["a"], "threshold": float("nan")}, "threshold should be a number"),
}


@pytest.mark.parametrize("form", BAD)
@in_loop
async def test_options_that_cannot_be_used_are_refused(form: str) -> None:
    options, words = BAD[form]
    async with started(Service(open_model(KINDS["gliner-span"], TYPE), Limits())) as service:
        with pytest.raises(InputError, match=words):
            await service.predict(PredictRequest(["Hello"], options))


@in_loop
async def test_nearly_everything_over_the_threshold_is_refused_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("encoderfile.tasks.span_decoding.MAX_SPANS", 3)
    async with started(Service(open_model(KINDS["gliner-span"], TYPE), Limits())) as service:
        with pytest.raises(InputError, match="send a higher threshold"):
            await service.predict(PredictRequest(["Ada lives in Paris."], {"labels": ["a", "b"], "threshold": -1.0}))


@in_loop
async def test_labels_that_truncation_leaves_out_have_no_entities_alone_or_beside_a_text_with_more() -> None:
    model = open_model(KINDS["gliner-span"], TYPE, max_length=24)
    text = "Ada lives in Paris."
    many = PredictRequest([text], {"labels": [f"label {index}" for index in range(30)], "threshold": -1.0})
    few = PredictRequest([text], {"labels": ["a", "b", "c"], "threshold": -1.0})
    async with started(Service(model, Limits())) as service:
        alone = await service.predict(many)
        together, _ = await asyncio.gather(service.predict(many), service.predict(few))
    assert alone.truncated_inputs == 1
    for prediction in (alone, together):
        assert set(prediction.results[0].labels) < set(many.options["labels"])
    assert alone.results[0].labels == together.results[0].labels


def test_special_tokens_stay_where_words_are_truncated() -> None:
    inputs = open_model(KINDS["gliner-span"], TYPE, max_length=12).inputs
    short, long = inputs.encode(["a", "a " * 40], Asked(options={"labels": ["a"]}))
    assert (len(long), long.truncated) == (12, True)
    assert long.input_ids[[0, -1]].tolist() == short.input_ids[[0, -1]].tolist()


@pytest.mark.parametrize(
    "text", ["", " ", "a", " a ", "a-b_c d--e", "x\u00a0y\u2003z", "東京 C++ _", "\x1ca\x85b", "a" * 99]
)
def test_words_are_those_of_the_package(text: str) -> None:
    found = [(word.start(), word.end()) for word in re.finditer(r"\w+(?:[-_]\w+)*|\S", text)]
    assert list(word_places(text)) == found


def test_runs_are_timed_with_words(name: str) -> None:
    model = open_model(KINDS[name], TYPE)
    for tokens in (4, 32):
        feeds, _ = model.inputs.feeds([model.inputs.sample(tokens)] * 2)
        assert feeds["input_ids"].shape == (2, tokens)
        model.session.run(feeds, model.manifest.graph.output)


def test_the_builder_compares_the_scores_of_all_spans(name: str) -> None:
    model = open_model(KINDS[name], TYPE)
    for result in model.run(model.encode(TEXTS, example(model))):
        assert isinstance(result, Result)
        assert numbers(result).size > 0
