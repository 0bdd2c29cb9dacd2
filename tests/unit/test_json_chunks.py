"""JSON in chunks says what JSON at once says."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import orjson
import pytest

from encoderfile.service.json_chunks import json_chunks

FLOATS = np.random.default_rng(0).standard_normal((200, 300)).astype(np.float32)
TOKENS = [{"embedding": row, "token_info": {"token": "ü"}} for row in FLOATS]


def once(content: object) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)


@pytest.mark.parametrize(
    "make",
    [
        lambda _: {},
        lambda _: {"a": 1, "b": [], "c": {}, "d": None, "e": "ü", "f": [1, 2]},
        lambda each: {"results": each([])},
        lambda each: {"results": each([{"embedding": row} for row in FLOATS]), "model_id": "m"},
        lambda each: {"first": 1, "results": each([{"embeddings": TOKENS}, {"embeddings": TOKENS[:3]}])},
        lambda each: {"items": each([{"id": "a", "multivector": {"dims": 300, "values": FLOATS}}, {"id": "b"}])},
        lambda each: {"items": each([FLOATS, FLOATS[:2], FLOATS[0], 5, "text"])},
        lambda each: {"by_type": {"float": each(list(FLOATS[:3])), "none": each([])}, "id": "x"},
        lambda _: {"rows": FLOATS, "labels": ["x"] * 1000},
    ],
    ids=[
        "nothing",
        "small",
        "no entries",
        "vectors",
        "tokens",
        "nested",
        "bare",
        "an object of iterators",
        "no iterator",
    ],
)
def test_joined_chunks_are_the_object(make: Callable[[Callable[[list[Any]], Any]], dict[str, Any]]) -> None:
    chunks = list(json_chunks(make(iter)))
    assert b"".join(chunks) == once(make(list))
    assert max(map(len, chunks)) <= 65 * len(once(FLOATS[0])) * 2


def test_entries_are_made_as_they_are_written() -> None:
    made = []

    def entries() -> Iterator[int]:
        for number in range(3):
            made.append(number)
            yield number

    chunks = json_chunks({"entries": entries()})
    assert made == []
    while made != [0, 1]:
        next(chunks)
    assert b"".join(chunks).endswith(b"2]}")
