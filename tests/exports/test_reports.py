"""Folders after public reports answer as expected.json says; they lie beside those of ENCODERFILE_TEST_MODELS."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from encoderfile.errors import InputError, ModelError
from encoderfile.service.limits import Limits
from encoderfile.service.service import Service
from encoderfile.types import DEFAULT_PROMPT, AskedPrompt, PredictRequest
from support.loop import in_loop
from support.models import checked, expected, open_model
from support.serving import started

REPORTS = Path(os.environ.get("ENCODERFILE_TEST_MODELS", "")).parent / "reports"
pytestmark = pytest.mark.skipif(not REPORTS.is_dir(), reason="there are no folders of reports")

ANSWERED = [path.parent.name for path in sorted(REPORTS.glob("*/expected.json"))]
ASKED = {
    "expected": DEFAULT_PROMPT,
    "expected_logits": DEFAULT_PROMPT,
    "without_prompt": AskedPrompt(text=""),
    "encode_query": AskedPrompt(input_type="query"),
    "encode_document": AskedPrompt(input_type="document"),
}
"""The prompt that the answers under each key were made with."""
NAMED = {"include-prompt-false": AskedPrompt(name="query")}
"""Where the answers under `expected` were made with a prompt by name."""
TEXTS = ["Hello World! How many people live in Berlin?", "GREAT Product", "a"]


def numbers(wanted: Any) -> Any:
    """A row of expected.json: numbers, or labels and their scores."""
    return [each["score"] if isinstance(each, dict) else each for each in wanted]


def given(result: Any, key: str) -> Any:
    if hasattr(result, "embedding"):
        return result.embedding
    return result.logits if key == "expected_logits" else result.scores


@pytest.mark.parametrize("name", ANSWERED)
@in_loop
async def test_answers_are_those_of_the_library_alone_and_together(name: str) -> None:
    truth = expected(REPORTS / name)
    async with started(Service(open_model(REPORTS / name), Limits())) as service:
        for key in ASKED.keys() & truth.keys():
            prompt = NAMED.get(name, ASKED[key]) if key == "expected" else ASKED[key]
            together = (await service.predict(PredictRequest(truth["texts"], prompt=prompt))).results
            for text, result, wanted in zip(truth["texts"], together, truth[key], strict=True):
                (alone,) = (await service.predict(PredictRequest([text], prompt=prompt))).results
                np.testing.assert_allclose(given(result, key), numbers(wanted), atol=5e-6)
                np.testing.assert_allclose(given(alone, key), numbers(wanted), atol=5e-6)


@pytest.mark.parametrize(
    ("name", "twin"),
    [
        ("qwen3-kv", "mistral-eos-in-template"),
        ("in-colon0", "matryoshka-list"),
        ("out-output_0", "matryoshka-list"),
    ],
)
@in_loop
async def test_a_graph_of_unusual_names_or_inputs_answers_as_its_twin(name: str, twin: str) -> None:
    found = []
    for folder in (REPORTS / name, REPORTS / twin):
        async with started(Service(open_model(folder), Limits())) as service:
            found.append([each.embedding for each in (await service.predict(PredictRequest(TEXTS))).results])
    np.testing.assert_allclose(*found, atol=1e-6)


def test_what_has_no_right_answer_is_refused() -> None:
    with pytest.raises(ModelError, match="--input task_id=VALUE"):
        checked(REPORTS / "jina-task-id")


@in_loop
async def test_queries_of_a_router_without_its_table_are_refused() -> None:
    folder = REPORTS / "splade-router-log1p"
    async with started(Service(open_model(folder), Limits())) as service:
        with pytest.raises(InputError, match="query"):
            await service.predict(PredictRequest(TEXTS, prompt=AskedPrompt(input_type="query")))
