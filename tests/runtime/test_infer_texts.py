"""`infer` asks in pieces, and what is wrong with a text is told with its place among all of them."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from encoderfile.errors import InputError
from encoderfile.progress import Progress
from encoderfile.runtime import oneshot
from encoderfile.service.limits import Limits
from encoderfile.service.service import Service
from encoderfile.settings import ModelSettings
from encoderfile.types import Text
from support.models import MODELS, open_model
from support.serving import started


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oneshot, "_CHUNK", 2)

    @asynccontextmanager
    async def service(*_: Any) -> AsyncIterator[Service]:
        async with started(Service(open_model(MODELS / "bert-embed"), Limits())) as running:
            yield running

    monkeypatch.setattr(oneshot, "_service", service)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "empty text sequence (inputs[3])"),
        ("\ud800", "inputs[3] holds a lone surrogate, which is no Unicode text"),
        (
            ("a", "b"),
            "inputs[3] is a text pair, and a model of type embedding reads single texts: leave text_pair out",
        ),
    ],
    ids=["empty", "a lone surrogate", "a pair"],
)
def test_the_text_at_fault_is_counted_from_the_first_of_all(text: Text, sentence: str) -> None:
    texts = ["one", "two", "three", text]
    with Progress("answering", shown=False) as progress, pytest.raises(InputError) as refused:
        asyncio.run(
            oneshot._answer(
                Path("unused"), ModelSettings(), texts, io.BytesIO(), oneshot.Wanted(form="json"), progress
            )
        )
    assert str(refused.value) == f"Invalid input: {sentence}"
