"""A text that fails fails its own request, and the worker goes on."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import pytest

from encoderfile.errors import InternalError
from encoderfile.types import EncodedText
from support.fakes import Runs, answer_to, hold, name_of, names, running, send, text
from support.loop import in_loop

BAD = 666


def failing_with(error: Exception) -> Any:
    def answer(batch: Sequence[EncodedText]) -> list[Any]:
        if any(name_of(each) == BAD for each in batch):
            raise error
        return [answer_to(each) for each in batch]

    return answer


def one_bad_result(batch: Sequence[EncodedText]) -> list[Any]:
    return [InternalError("not finite") if name_of(each) == BAD else answer_to(each) for each in batch]


FAILURES = [
    (failing_with(ValueError("/srv/model.onnx: no such node")), "Internal error: the model failed to run"),
    (failing_with(MemoryError()), "Internal error: no memory is left for this run"),
    (failing_with(InternalError("the model is tired")), "Internal error: the model is tired"),
    (one_bad_result, "Internal error: not finite"),
]


@pytest.mark.parametrize(("answer", "words"), FAILURES, ids=["unforeseen", "memory", "foreseen", "one result"])
@in_loop
async def test_a_failing_text_fails_only_its_own_request(answer: Any, words: str) -> None:
    runs = Runs(answer)
    async with running(runs) as batcher:
        holding = await hold(batcher, runs)
        before = await send(batcher, text(1), text(2))
        bad = await send(batcher, text(3), text(BAD), text(4))
        after = await send(batcher, text(5))
        runs.open()
        await asyncio.gather(holding, before, bad, after, return_exceptions=True)
        assert len(runs.batches[1]) == 6, "they did share a run"
        assert await before == [1, 2]
        assert await after == [5]
        with pytest.raises(InternalError) as failure:
            await bad
        assert str(failure.value) == words


@pytest.mark.parametrize(("answer", "words"), FAILURES, ids=["unforeseen", "memory", "foreseen", "one result"])
@in_loop
async def test_the_worker_outlives_a_failure(answer: Any, words: str) -> None:
    runs = Runs(answer)
    runs.open()
    async with running(runs) as batcher:
        with pytest.raises(InternalError):
            await batcher.submit([text(BAD)])
        results, _ = await batcher.submit([text(1)])
        assert names(results) == [1]


@in_loop
async def test_a_request_that_failed_is_run_no_further() -> None:
    runs = Runs(one_bad_result)
    async with running(runs, max_batch_tokens=1) as batcher:
        bad = await send(batcher, text(BAD), text(1), text(2))
        assert await runs.begun() == [BAD]
        runs.let_go()
        with pytest.raises(InternalError):
            await bad
        assert batcher.waiting == 0
        after = await send(batcher, text(3))
        runs.open()
        assert await after == [3]
    assert not any(2 in batch for batch in runs.named)


@pytest.mark.parametrize("count", [0, 1, 3])
@in_loop
async def test_a_batch_with_a_wrong_number_of_results_is_run_again_text_by_text(count: int) -> None:
    runs = Runs(lambda batch: [answer_to(batch[0])] * (count if len(batch) == 2 else len(batch)))
    async with running(runs) as batcher:
        holding = await hold(batcher, runs)
        one, two = await send(batcher, text(1)), await send(batcher, text(2))
        runs.open()
        assert await asyncio.gather(holding, one, two) == [[-1], [1], [2]]
    assert runs.named[1:] == [[1, 2], [1], [2]]


@pytest.mark.parametrize("count", [0, 2])
@in_loop
async def test_a_wrong_number_of_results_for_one_text_is_an_error(count: int) -> None:
    runs = Runs(lambda batch: [answer_to(batch[0])] * count)
    runs.open()
    async with running(runs) as batcher:
        with pytest.raises(InternalError) as failure:
            await batcher.submit([text(1)])
    assert str(failure.value) == f"Internal error: the model gave {count} results for 1 texts"


@in_loop
async def test_the_cause_of_a_failure_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    runs = Runs(failing_with(ValueError("node 7 of 9")))
    runs.open()
    with caplog.at_level(logging.ERROR):
        async with running(runs) as batcher:
            with pytest.raises(InternalError):
                await batcher.submit([text(BAD)])
    assert "node 7 of 9" in caplog.text
