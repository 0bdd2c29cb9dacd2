"""Requests at the tokenizer: bounded chunks, in order, and nothing more for a client that disconnected."""

import asyncio
import threading
from collections.abc import Sequence

import numpy as np
import pytest

from encoderfile.errors import InputError
from encoderfile.model.pairs import Known
from encoderfile.model.reading import UnsettledError
from encoderfile.service.encoding import CHUNK_CHARACTERS, Encoding, chunks
from encoderfile.types import Asked, EncodedText, Text
from support.loop import in_loop

PATIENCE = 60
"""Seconds after which a forgotten gate fails its test instead of hanging it."""


class Encode:
    """Gives each text its length as its one token; asks for patience with what begins with a space."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, bool]] = []
        self.known: set[int] = set()
        self.gate = threading.Event()
        self.gate.set()
        self.begun = threading.Semaphore(0)

    def __call__(self, texts: Sequence[Text], asked: Asked, known: Known, patient: bool) -> list[EncodedText]:
        self.calls.append((len(texts), patient))
        self.known.add(id(known))
        self.begun.release()
        assert self.gate.wait(PATIENCE), "nobody opened the gate"
        if "refused" in texts:
            raise InputError("is refused", texts.index("refused"))
        if not patient and any(str(text).startswith(" ") for text in texts):
            raise UnsettledError
        ids = [np.array([len(text)], dtype=np.int64) for text in texts]
        return [EncodedText(each, each, each, (), False) for each in ids]


def sizes(parts: Sequence[Sequence[Text]]) -> list[int]:
    return [len(part) for part in parts]


def test_a_chunk_is_bounded_in_characters_and_a_longer_text_is_one_of_its_own() -> None:
    third = "x" * (CHUNK_CHARACTERS // 3)
    assert sizes(list(chunks([third] * 7))) == [3, 3, 1]
    assert sizes(list(chunks(["a", "x" * (CHUNK_CHARACTERS * 2), "b", "c"]))) == [1, 1, 2]
    assert list(chunks([])) == []
    texts = ["a"] * 4096
    assert sizes(list(chunks(texts))) == [4096]


def test_a_query_that_pairs_share_counts_once() -> None:
    query = "q" * (CHUNK_CHARACTERS // 2)
    assert sizes(list(chunks([(query, "a")] * 4096))) == [4096]
    assert sizes(list(chunks([(f"{index}{query}", "a") for index in range(3)]))) == [1, 1, 1]


def test_a_prompt_counts_with_each_text() -> None:
    assert sizes(list(chunks(["a"] * 4, CHUNK_CHARACTERS // 2))) == [1, 1, 1, 1]
    assert sizes(list(chunks(["a"] * 4, CHUNK_CHARACTERS // 3))) == [2, 2]


@in_loop
async def test_all_chunks_come_back_in_order_and_know_of_each_other() -> None:
    encode = Encode()
    encoding = Encoding(encode, 2)
    texts = ["x" * (CHUNK_CHARACTERS // 2 + index) for index in range(5)]
    found = await encoding(texts)
    assert [int(each.input_ids[0]) for each in found] == [len(text) for text in texts]
    assert len(encode.calls) == 5
    assert len(encode.known) == 1
    assert encoding.waiting == 0
    encoding.stop()


@in_loop
async def test_a_text_that_is_refused_is_counted_in_the_whole_request() -> None:
    encoding = Encoding(Encode(), 2)
    for texts, index in (
        (["a", "refused"], 1),
        (["x" * CHUNK_CHARACTERS, "y" * CHUNK_CHARACTERS, "a", "refused"], 3),
    ):
        with pytest.raises(InputError) as refusal:
            await encoding(texts)
        assert refusal.value.index == index
        assert encoding.waiting == 0
    encoding.stop()


@in_loop
async def test_only_what_asks_for_patience_gets_it() -> None:
    encode = Encode()
    encoding = Encoding(encode, 2)
    await encoding(["x" * CHUNK_CHARACTERS, " " * CHUNK_CHARACTERS, "y" * 600])
    assert encode.calls == [(1, False), (1, False), (1, True), (1, False)]
    encoding.stop()


@in_loop
async def test_no_further_chunk_is_tokenised_for_a_client_that_disconnected() -> None:
    encode = Encode()
    encoding = Encoding(encode, 2)
    encode.gate.clear()
    leaving = asyncio.create_task(encoding(["x" * CHUNK_CHARACTERS] * 9))
    assert await asyncio.to_thread(encode.begun.acquire, timeout=PATIENCE)
    assert encoding.waiting == 9
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert encoding.waiting == 0
    encode.gate.set()
    await encoding(["y" * 600])
    assert encode.calls == [(1, False), (1, False)]
    encoding.stop()


@in_loop
async def test_others_are_tokenised_while_a_chunk_and_a_patient_one_are() -> None:
    class Held(Encode):
        def __call__(self, texts: Sequence[Text], asked: Asked, known: Known, patient: bool) -> list[EncodedText]:
            if len(texts[0]) == 600:
                self.calls.append((1, patient))
                return []
            return super().__call__(texts, asked, known, patient)

    encode = Held()
    encoding = Encoding(encode, 1)
    encode.gate.clear()
    held = asyncio.create_task(encoding(["x" * CHUNK_CHARACTERS]))
    assert await asyncio.to_thread(encode.begun.acquire, timeout=PATIENCE)
    patient = asyncio.create_task(encoding.alone(encode, ["x" * CHUNK_CHARACTERS], "", Known(), True))
    assert await asyncio.to_thread(encode.begun.acquire, timeout=PATIENCE)
    await encoding(["y" * 600])
    assert encode.calls[-1] == (1, False)
    encode.gate.set()
    await asyncio.gather(held, patient)
    encoding.stop()
