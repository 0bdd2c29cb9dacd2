"""How alike texts are by their vectors: the functions, and what is asked of the model for them."""

import asyncio
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from encoderfile.errors import DrainingError, InputError
from encoderfile.service.limits import Limits
from encoderfile.service.service import Service
from encoderfile.service.similarity import similarities
from encoderfile.tasks.similarity import SIMILARITIES, similarity_of, stacked
from encoderfile.types import DEFAULT_PROMPT, AskedPrompt, PredictRequest
from support.clients import PATIENCE
from support.controlled_models import Gated
from support.kinds import KINDS
from support.loop import in_loop, settle
from support.models import DEMO, MODELS, open_model
from support.serving import started

QUESTION, ANSWER, OTHER = "How do I reset my password?", "Password recovery steps", "The cat sleeps."


async def vectors(service: Service, texts: list[str], prompt: AskedPrompt = DEFAULT_PROMPT) -> np.ndarray:
    found = await service.predict(PredictRequest(texts, prompt=prompt))
    return np.stack([each.embedding for each in found.results]).astype(np.float64)


def by_hand(name: str, a: np.ndarray, b: np.ndarray) -> float:
    return float(
        {
            "cosine": lambda: a @ b / np.linalg.norm(a) / np.linalg.norm(b),
            "dot": lambda: a @ b,
            "euclidean": lambda: -np.sqrt(((a - b) ** 2).sum()),
            "manhattan": lambda: -np.abs(a - b).sum(),
        }[name]()
    )


@pytest.mark.parametrize("name", SIMILARITIES)
def test_each_function_is_that_of_its_name(name: str) -> None:
    rows = np.random.default_rng(1).normal(size=(4, 7)).astype(np.float32)
    first, *others = stacked(rows, name)
    found = SIMILARITIES[name](first, np.stack(others))
    np.testing.assert_allclose(found, [by_hand(name, rows[0], each) for each in rows[1:]], rtol=1e-5)


def test_a_text_is_exactly_as_alike_to_itself_as_can_be() -> None:
    rows = stacked(np.random.default_rng(1).normal(size=(50, 384)).astype(np.float32), "cosine")
    assert max(SIMILARITIES["cosine"](row, rows).max() for row in rows) <= 1


@in_loop
async def test_texts_are_compared_with_one_another() -> None:
    async with started(Service(open_model(DEMO["embed"]), Limits())) as service:
        found = await similarities(service, PredictRequest([QUESTION, ANSWER, OTHER]))
        rows = await vectors(service, [QUESTION, ANSWER, OTHER])
        wanted = [[by_hand("cosine", a, b) for b in rows] for a in rows]
        np.testing.assert_allclose(np.stack(found.results), wanted, atol=1e-5)
        assert found.token_count > 0


@in_loop
async def test_texts_are_compared_with_others_that_have_a_prompt_of_their_own() -> None:
    async with started(Service(open_model(KINDS["st-dense"]), Limits())) as service:
        query, document = AskedPrompt(input_type="query"), AskedPrompt(input_type="document")
        asked = PredictRequest([QUESTION], prompt=query), PredictRequest([ANSWER, OTHER], prompt=document)
        (found,) = (await similarities(service, *asked)).results
        (a,), others = await vectors(service, [QUESTION], query), await vectors(service, [ANSWER, OTHER], document)
        name = similarity_of(service.task)
        np.testing.assert_allclose(found, [by_hand(name, a, b) for b in others], atol=1e-5)


@in_loop
async def test_the_index_of_a_refused_text_is_counted_over_texts_and_others() -> None:
    async with started(Service(open_model(DEMO["embed"]), Limits())) as service:
        texts, others = [QUESTION] * 3, [ANSWER, OTHER]
        found = await similarities(service, PredictRequest(texts), PredictRequest(others), "dot")
        assert [len(row) for row in found.results] == [2, 2, 2]
        with pytest.raises(InputError) as refused:
            await similarities(service, PredictRequest(texts), PredictRequest(["fine", ""]))
        assert refused.value.index == 4


@in_loop
async def test_the_index_is_the_same_where_the_prompts_differ() -> None:
    async with started(Service(open_model(KINDS["st-dense"]), Limits())) as service:
        query, document = AskedPrompt(input_type="query"), AskedPrompt(input_type="document")
        with pytest.raises(InputError) as refused:
            await similarities(
                service, PredictRequest([QUESTION], prompt=query), PredictRequest([ANSWER, ""], prompt=document)
            )
        assert refused.value.index == 2


@in_loop
async def test_no_more_texts_are_taken_than_one_request_may_hold() -> None:
    async with started(Service(open_model(DEMO["embed"]), Limits(max_inputs=3))) as service:
        with pytest.raises(InputError, match="at most 3 inputs per request, got 4"):
            await similarities(service, PredictRequest([QUESTION] * 2), PredictRequest([ANSWER] * 2))


@in_loop
async def test_vectors_beyond_the_limit_of_an_answer_are_refused() -> None:
    async with started(Service(open_model(DEMO["embed"]), Limits(max_values=1000))) as service:
        with pytest.raises(InputError, match="more than 1000 numbers"):
            await similarities(service, PredictRequest([QUESTION] * 9))


@in_loop
async def test_vectors_are_bounded_where_answers_are_not() -> None:
    """Token vectors are many: 4096 texts of the limit would take gigabytes."""
    async with started(Service(open_model(DEMO["embed"], "embedding"), Limits(max_values=None))) as service:
        with pytest.raises(InputError, match=f"more than {1 << 24} numbers"):
            await similarities(service, PredictRequest(["word " * 300] * 4000))


@pytest.mark.parametrize(
    ("folder", "gives"), [(DEMO["sentiment"], "labels"), (KINDS["colbert"], "a vector for each token")]
)
@in_loop
async def test_a_model_without_a_vector_for_a_text_says_so(folder: Any, gives: str) -> None:
    async with started(Service(open_model(folder), Limits())) as service:
        with pytest.raises(InputError, match=f"does not support similarity: it gives {gives}"):
            await similarities(service, PredictRequest([QUESTION]))


@in_loop
async def test_sparse_vectors_are_compared_by_their_dot_product() -> None:
    async with started(Service(open_model(MODELS / "bert-mlm", "sentence_embedding"), Limits())) as service:
        found = await similarities(service, PredictRequest([QUESTION, ANSWER]))
        a, b = await vectors(service, [QUESTION, ANSWER])
        np.testing.assert_allclose(found.results[0], [a @ a, a @ b], rtol=1e-4)


def test_the_function_is_that_of_the_models_files() -> None:
    task = open_model(DEMO["embed"]).task
    for named, wanted in (("manhattan", "manhattan"), (None, "cosine")):
        assert similarity_of(type(task)(replace(task.manifest, similarity=named))) == wanted


@in_loop
async def test_a_comparison_that_was_accepted_is_answered_whole_while_the_server_stops() -> None:
    model = Gated(open_model(KINDS["last-token"]))
    async with started(Service(model, Limits())) as service:
        query, document = AskedPrompt(input_type="query"), AskedPrompt(input_type="document")
        asked = PredictRequest([QUESTION], prompt=query), PredictRequest([ANSWER], prompt=document)
        found = asyncio.ensure_future(similarities(service, *asked))
        await asyncio.to_thread(model.wait_until_running)
        drained = asyncio.ensure_future(service.drain(PATIENCE))
        await settle(drained)
        with pytest.raises(DrainingError):
            await similarities(service, *asked)
        model.open()
        assert len((await found).results) == 1
        assert await drained
