"""Texts that are read in windows: as many run together as keep memory small."""

from typing import Any

import pytest

from encoderfile.service.limits import Limits
from encoderfile.service.service import Service
from support.loop import in_loop
from support.models import MODELS, open_model
from support.serving import started

SENTENCE = "Ada Lovelace met Charles Babbage in London. "


@pytest.fixture
def model() -> Any:
    return open_model(MODELS / "bert-tok", max_length=16)


@in_loop
async def test_many_windows_give_what_each_text_gives_alone(model: Any) -> None:
    texts = [SENTENCE * count for count in (1, 90, 2, 200, 3, 4)]
    async with started(Service(model, Limits())) as service:
        together = await service.extract(texts, stride=4)
        alone = [await service.extract([text], stride=4) for text in texts]
    assert [each.entities for each in together.results] == [each.results[0].entities for each in alone]
    assert together.token_count == sum(each.token_count for each in alone) > 6 * 256
    assert together.truncated_inputs == 0


def test_a_model_that_reads_windows_says_by_how_much_they_overlap(model: Any) -> None:
    assert Service(model, Limits()).window_overlap == 4
    assert Service(open_model(MODELS / "bert-cls"), Limits()).window_overlap is None
