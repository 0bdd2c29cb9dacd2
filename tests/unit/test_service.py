"""The one predict: what it takes, what it refuses, and how it stops."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from encoderfile.errors import DrainingError, InputError, InternalError, QueueFullError
from encoderfile.model.model import Model
from encoderfile.service.limits import Limits
from encoderfile.service.service import Service
from encoderfile.types import EncodedText, PredictRequest, Text
from support.fakes import Runs
from support.loop import in_loop, settle
from support.models import MODELS, open_model

LONG = "word " * 100


class Watched(Model):
    """A model whose runs are those of `Runs`, and which counts what it tokenises."""

    def __init__(self, model: Model) -> None:
        super().__init__(model.manifest, model.tokenizer, model.session)
        self.runs = Runs(model.run)
        self.encoded: list[Sequence[Text]] = []
        self.failure: Exception | None = None

    def encode(self, texts: Sequence[Text], *more: Any) -> list[EncodedText]:
        if self.failure is not None:
            raise self.failure
        self.encoded.append(texts)
        return super().encode(texts, *more)

    def run(self, batch: Sequence[EncodedText], all_threads: bool = True) -> Any:
        return self.runs.run(batch, all_threads)


@asynccontextmanager
async def serving(
    name: str = "bert-cls", model_type: str | None = None, *, held: bool = False, **limits: Any
) -> AsyncIterator[tuple[Service, Watched]]:
    """A service at work around a small model; with `held`, runs wait for `model.runs.let_go()`."""
    model = Watched(open_model(MODELS / name, model_type))
    if not held:
        model.runs.open()
    service = Service(model, Limits(**limits))
    service.start()
    try:
        yield service, model
    finally:
        model.runs.open()
        await service.stop()


def request(*inputs: Text, **more: Any) -> PredictRequest:
    return PredictRequest(list(inputs), **more)


async def call(service: Service, *inputs: Text, **more: Any) -> "asyncio.Task[Any]":
    task = asyncio.create_task(service.predict(request(*inputs, **more)))
    await settle(task)
    return task


@in_loop
async def test_an_answer_has_one_result_per_input_in_order() -> None:
    direct = open_model(MODELS / "bert-cls")
    texts = ["Hello world!", "a", "The quick brown fox jumps over the lazy dog"]
    async with serving() as (service, _):
        prediction = await service.predict(request(*texts, metadata={"k": "v"}))
    wanted = [direct.run([text])[0] for text in direct.encode(texts)]
    for result, other in zip(prediction.results, wanted, strict=True):
        np.testing.assert_allclose(result.logits, other.logits, atol=1e-4)  # type: ignore[union-attr]
    assert prediction.model_id == "bert-cls"
    assert prediction.metadata == {"k": "v"}
    assert prediction.token_count == sum(len(text) for text in direct.encode(texts))
    assert prediction.truncated_inputs == 0


@pytest.mark.parametrize(
    ("model_type", "normalize", "is_unit"),
    [
        ("embedding", True, True),
        ("embedding", False, False),
        ("sentence_embedding", True, True),
        ("sentence_embedding", False, False),
        ("sentence_embedding", None, False),
    ],
)
@in_loop
async def test_vectors_are_normalised_where_asked(model_type: str, normalize: bool | None, is_unit: bool) -> None:
    async with serving("bert-embed", model_type) as (service, _):
        (result,) = (
            await service.predict(request("Hello", options={} if normalize is None else {"normalize": normalize}))
        ).results
    vectors = result.embeddings if model_type == "embedding" else result.embedding[None]
    lengths = np.linalg.norm(vectors, axis=1)
    assert np.allclose(lengths, 1, atol=1e-5) == is_unit


@in_loop
async def test_unless_asked_a_model_that_normalises_does() -> None:
    async with serving("mpnet-embed") as (service, _):
        (result,) = (await service.predict(request("Hello"))).results
        assert np.linalg.norm(result.embedding) == pytest.approx(1, abs=1e-5)
        (result,) = (await service.predict(request("Hello", options={"normalize": False}))).results
        assert np.linalg.norm(result.embedding) != pytest.approx(1, abs=1e-2)


@in_loop
async def test_pairs_are_taken_as_pairs() -> None:
    direct = open_model(MODELS / "bert-cls")
    async with serving() as (service, _):
        (result,) = (await service.predict(request(("a query", "a passage")))).results
    (wanted,) = direct.run(direct.encode([("a query", "a passage")]))
    np.testing.assert_allclose(result.logits, wanted.logits, atol=1e-4)  # type: ignore[union-attr]


REFUSED: list[tuple[PredictRequest, str]] = [
    (request(), "inputs is empty: send at least one text"),
    (request("a", "b", "c", "d"), "at most 3 inputs per request, got 4: split the request"),
    (request("a", ""), "empty text sequence (inputs[1])"),
    (request(("a", "")), "empty text sequence (inputs[0])"),
    (request(("", "a")), "empty text sequence (inputs[0])"),
    (request("a", "b\ud800c"), "inputs[1] holds a lone surrogate, which is not valid Unicode"),
    (request(("a", "\udfff")), "inputs[0] holds a lone surrogate, which is not valid Unicode"),
]


@pytest.mark.parametrize(("refused", "words"), REFUSED, ids=range(len(REFUSED)))
@in_loop
async def test_what_cannot_be_answered_is_refused_before_the_model_sees_it(
    refused: PredictRequest, words: str
) -> None:
    async with serving(max_inputs=3) as (service, model):
        with pytest.raises(InputError) as refusal:
            await service.predict(refused)
        assert str(refusal.value) == f"Invalid input: {words}"
        assert model.encoded == []


@pytest.mark.parametrize("text", [" ", "\n\t", "\u3000", "\x00", "a\u0301", "😀", "\U0010ffff"], ids=ascii)
@in_loop
async def test_any_text_that_is_not_empty_is_answered(text: str) -> None:
    async with serving() as (service, _):
        assert len((await service.predict(request(text))).results) == 1


@in_loop
async def test_as_many_inputs_as_allowed_are_taken() -> None:
    async with serving(max_inputs=3) as (service, _):
        assert len((await service.predict(request("a", "b", "c"))).results) == 3


@in_loop
async def test_truncated_texts_are_counted() -> None:
    async with serving() as (service, _):
        prediction = await service.predict(request(LONG, "short", LONG))
    assert prediction.truncated_inputs == 2
    assert prediction.token_count == 64 + 64 + len(open_model(MODELS / "bert-cls").encode(["short"])[0])


@in_loop
async def test_long_texts_are_refused_where_overflow_is_an_error() -> None:
    async with serving(refuse_overflow=True) as (service, model):
        with pytest.raises(InputError) as refusal:
            await service.predict(request("short", LONG))
        assert str(refusal.value) == (
            "Invalid input: inputs[1] has more than 64 tokens, the most this model takes: "
            "shorten it, or use --overflow truncate"
        )
        assert model.runs.batches == []
        assert len((await service.predict(request("short"))).results) == 1


@in_loop
async def test_a_full_queue_refuses_before_any_work_is_done() -> None:
    async with serving(held=True, max_queue=2) as (service, model):
        running = await call(service, "a")
        await model.runs.begun()
        waiting = [await call(service, "b"), await call(service, "c")]
        while service.waiting < 2:
            await settle(*waiting)
        before = len(model.encoded)
        with pytest.raises(QueueFullError, match=r"2 texts wait \(at most 2\) and 1 more came"):
            await service.predict(request("d"))
        assert len(model.encoded) == before
        model.runs.open()
        await asyncio.gather(running, *waiting)
        assert len((await service.predict(request("e"))).results) == 1


@in_loop
async def test_draining_answers_what_was_accepted_and_refuses_the_rest() -> None:
    async with serving(held=True) as (service, model):
        accepted = await call(service, "a")
        await model.runs.begun()
        drained = asyncio.create_task(service.drain(60))
        await settle(drained)
        assert not service.ready
        assert not drained.done()
        with pytest.raises(DrainingError) as refusal:
            await service.predict(request("b"))
        assert str(refusal.value) == "the server is stopping and takes no new requests"
        model.runs.open()
        assert await drained is True
        assert accepted.done()
        assert len((await accepted).results) == 1


@in_loop
async def test_draining_waits_for_what_was_accepted_and_not_yet_queued() -> None:
    async with serving(held=True) as (service, model):
        accepted = await call(service, "a")
        drained = asyncio.create_task(service.drain(60))
        await model.runs.begun()
        assert not drained.done()
        model.runs.open()
        assert await drained is True
        assert accepted.done()


@in_loop
async def test_an_idle_server_drains_at_once() -> None:
    async with serving() as (service, _):
        assert await service.drain(0) is True
    async with serving() as (service, _):
        await service.predict(request("a"))
        assert await service.drain(0) is True


@in_loop
async def test_draining_gives_up_when_its_time_is_over() -> None:
    async with serving(held=True) as (service, model):
        accepted = await call(service, "a")
        await model.runs.begun()
        assert await service.drain(0) is False
        model.runs.open()
        await accepted


@in_loop
async def test_a_client_disconnect_does_not_hold_up_the_drain() -> None:
    async with serving(held=True) as (service, model):
        staying = await call(service, "a")
        await model.runs.begun()
        leaving = await call(service, "b")
        leaving.cancel()
        await settle(leaving)
        model.runs.open()
        await staying
        assert await service.drain(0) is True


@in_loop
async def test_nothing_is_taken_before_the_start_or_after_the_stop() -> None:
    model = Watched(open_model(MODELS / "bert-cls"))
    service = Service(model, Limits())
    with pytest.raises(DrainingError):
        await service.predict(request("a"))
    service.start()
    assert service.ready
    await service.stop()
    assert not service.ready
    with pytest.raises(DrainingError):
        await service.predict(request("a"))


@in_loop
async def test_an_unforeseen_failure_says_nothing_of_its_cause_and_harms_nobody_else() -> None:
    async with serving() as (service, model):
        model.failure = RuntimeError("/srv/secret/tokenizer.json")
        with pytest.raises(InternalError) as failure:
            await service.predict(request("a"))
        assert str(failure.value) == "Internal error: the server failed, its log has the cause"
        model.failure = None
        assert len((await service.predict(request("a"))).results) == 1
        assert await service.drain(0) is True


@in_loop
async def test_a_failed_request_leaves_no_trace_in_the_drain() -> None:
    async with serving(refuse_overflow=True) as (service, _):
        with pytest.raises(InputError):
            await service.predict(request(LONG))
        assert await service.drain(0) is True


@in_loop
async def test_the_service_says_what_the_model_is() -> None:
    async with serving("bert-tok") as (service, _):
        info = service.info
    assert (info.model_id, info.version, info.model_type, info.max_length) == (
        "bert-tok",
        "0.1.0",
        "token_classification",
        64,
    )
    assert info.to_json()["id2label"]["1"] == "B-PER"
    async with serving("bert-embed") as (service, _):
        assert service.info.to_json() == {"model_id": "bert-embed", "model_type": "embedding"}


@in_loop
async def test_rows_of_one_length_count_with_that_length() -> None:
    usual = open_model(MODELS / "bert-cls")
    spec = dataclasses.replace(usual.manifest.tokenizer, pad_to=32)
    model = Watched(Model(dataclasses.replace(usual.manifest, tokenizer=spec), usual.tokenizer, usual.session))
    service = Service(model, Limits(max_batch_tokens=64))
    service.start()
    model.runs.open()
    try:
        await service.predict(request(*"abcdefg"))
    finally:
        await service.stop()
    assert sorted(len(batch) for batch in model.runs.batches) == [1, 2, 2, 2]


@in_loop
async def test_the_characters_of_a_request_are_limited_and_a_shared_query_counts_once() -> None:
    query = "q" * 40
    async with serving(max_characters=100) as (service, model):
        await service.predict(request("a" * 60, "b" * 40))
        await service.predict(request(*[(query, each) for each in "abcdefgh"]))
        for refused in (request("a" * 60, "b" * 41), request((query, "a" * 61))):
            before = len(model.encoded)
            with pytest.raises(InputError) as refusal:
                await service.predict(refused)
            assert str(refusal.value) == (
                "Invalid input: at most 100 characters per request, prompts and templates filled in, got 101: "
                "split the request"
            )
            assert len(model.encoded) == before
    async with serving(max_characters=None) as (service, _):
        assert len((await service.predict(request("a " * 100))).results) == 1
