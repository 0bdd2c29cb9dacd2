"""A text for whose attention this machine has not the memory is refused before it runs."""

import dataclasses

import numpy as np
import pytest

from encoderfile.errors import TooLongError
from encoderfile.model import text_inputs as attention
from encoderfile.model.model import Model
from encoderfile.types import EncodedText
from support.models import MODELS, open_model
from support.refusals import one_sentence


def text(tokens: int) -> EncodedText:
    ids = np.zeros(tokens, dtype=np.int64)
    return EncodedText(input_ids=ids, token_type_ids=ids, special_tokens_mask=ids, tokens=(), truncated=False)


@pytest.fixture(autouse=True)
def two_gigabytes_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "available_memory", lambda: 2_000_000_000)


def test_what_does_not_fit_is_refused_with_both_numbers() -> None:
    with pytest.raises(TooLongError) as refusal:
        attention.refuse_too_large([text(8), text(32_000)], 20)
    assert one_sentence(refusal.value) == (
        "Invalid input: inputs[1] has 32000 tokens, which take 20.5 GB of memory, and one text may take half of the "
        "2.0 GB that are left: send less text at a time"
    )


def test_what_fits_is_left_alone() -> None:
    attention.refuse_too_large([text(7_000), text(1)], 20)


def test_what_would_leave_too_little_for_the_rest_is_refused() -> None:
    with pytest.raises(TooLongError):
        attention.refuse_too_large([text(7_500)], 20)


def test_for_short_texts_nobody_asks_how_much_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(attention, "available_memory")
    attention.refuse_too_large([text(512)], 4 * (2 * 16 + 1))


def test_where_it_is_not_known_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    attention.refuse_too_large([text(100_000)], 0)
    monkeypatch.setattr(attention, "available_memory", lambda: None)
    attention.refuse_too_large([text(100_000)], 20)


def test_a_model_refuses_such_a_text() -> None:
    opened = open_model(MODELS / "bert-cls")
    assert opened.manifest.attention_bytes > 0
    manifest = dataclasses.replace(opened.manifest, attention_bytes=10**9)
    model = Model(manifest, opened.tokenizer, opened.session)
    with pytest.raises(TooLongError):
        model.check_memory(model.encode(["a text of some tokens"]))
