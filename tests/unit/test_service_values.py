"""The size of an answer is bounded before anything is run for it."""

import dataclasses
from typing import Any

import pytest

from encoderfile.errors import InputError
from encoderfile.service.limits import Limits
from encoderfile.service.service import Service
from encoderfile.types import PredictRequest, Text
from support.loop import in_loop
from support.models import MODELS, open_model

TEXTS = ("Hello world!", "a", "The quick brown fox jumps over the lazy dog")

CASES: list[tuple[str, str]] = [
    ("bert-embed", "embedding"),
    ("bert-embed", "sentence_embedding"),
    ("bert-mlm", "sentence_embedding"),
    ("bert-cls", "sequence_classification"),
    ("bert-tok", "token_classification"),
]


def counted(result: Any) -> int:
    """The numbers in one result."""
    fields = (getattr(result, field.name) for field in dataclasses.fields(result))
    return sum(each.size for each in fields if getattr(each, "dtype", None) == "float32")


async def ask(service: Service, texts: tuple[Text, ...], **more: Any) -> list[Any]:
    return list((await service.predict(PredictRequest(list(texts), **more))).results)


@pytest.mark.parametrize(("name", "model_type"), CASES)
@in_loop
async def test_the_numbers_of_an_answer_are_known_beforehand(name: str, model_type: str) -> None:
    model = open_model(MODELS / name, model_type)
    encoded = model.encode(list(TEXTS))
    results = model.run(encoded)
    for text, result in zip(encoded, results, strict=True):
        known = model.task.values(text)
        # The score of a token's own label is one more, and special tokens are left out of its labels.
        assert counted(result) <= known + len(text)
        assert known <= counted(result) + 4 * model.manifest.width


@pytest.mark.parametrize(("name", "model_type"), CASES)
@in_loop
async def test_an_answer_that_would_be_too_large_is_refused_before_anything_runs(name: str, model_type: str) -> None:
    model = open_model(MODELS / name, model_type)
    needed = sum(map(model.task.values, model.encode(list(TEXTS))))
    for most, fits in ((needed, True), (needed - 1, False)):
        service = Service(model, Limits(max_values=most))
        service.start()
        try:
            if fits:
                assert len(await ask(service, TEXTS)) == len(TEXTS)
                continue
            with pytest.raises(InputError) as refused:
                await ask(service, TEXTS)
            assert str(refused.value) == (
                f"Invalid input: the answer would hold more than {most} numbers, the most in one answer: "
                "split the request"
            )
        finally:
            await service.stop()


@in_loop
async def test_a_caller_that_takes_less_says_so_with_the_request() -> None:
    model = open_model(MODELS / "bert-embed", "embedding")
    service = Service(model, Limits())
    service.start()
    try:
        assert len(await ask(service, TEXTS)) == len(TEXTS)
        with pytest.raises(InputError, match="more than 10 numbers"):
            await ask(service, TEXTS, max_values=10)
    finally:
        await service.stop()


@in_loop
async def test_texts_are_read_no_further_than_the_answer_may_hold() -> None:
    model = open_model(MODELS / "bert-embed", "embedding")
    read: list[int] = []
    encode = model.encode

    def watched(texts: Any, *more: Any) -> Any:
        read.append(len(texts))
        return encode(texts, *more)

    model.encode = watched  # type: ignore[method-assign]
    service = Service(model, Limits(max_values=1000))
    service.start()
    try:
        with pytest.raises(InputError, match="more than 1000 numbers"):
            await ask(service, ("word " * 2000,) * 400)
    finally:
        await service.stop()
    assert len(read) == 1
