"""Cutting texts: where, how much, and what is refused before any text comes."""

import threading
from typing import Any

import pytest

from encoderfile.errors import InternalError, ModelError
from encoderfile.manifest import TokenizerSpec
from encoderfile.model.tokenizer import Tokenizer
from support.library import replace_methods
from support.models import MODELS

DATA = (MODELS / "bert-cls" / "tokenizer.json").read_bytes()
WORDS = "one two three four five six seven eight nine ten eleven twelve"


def tokenizer(max_length: int = 8, **spec: Any) -> Tokenizer:
    return Tokenizer(DATA, TokenizerSpec(max_length=max_length, **spec))


def ids(words: Tokenizer, text: str | tuple[str, str]) -> list[int]:
    return words([text], with_tokens=False)[0].input_ids.tolist()


def test_a_text_that_just_fits_is_whole() -> None:
    full = ids(tokenizer(64), WORDS)
    (text,) = tokenizer(len(full))([WORDS], with_tokens=True)
    assert text.input_ids.tolist() == full
    assert not text.truncated


def test_a_text_of_one_token_too_many_is_truncated_and_says_so() -> None:
    full = ids(tokenizer(64), WORDS)
    (text,) = tokenizer(len(full) - 1)([WORDS], with_tokens=True)
    assert text.input_ids.tolist() == [*full[:-2], full[-1]]
    assert text.truncated


def test_the_left_side_is_truncated_where_asked() -> None:
    full = ids(tokenizer(64), WORDS)
    assert ids(tokenizer(8, truncation_side="left"), WORDS) == [full[0], *full[-7:]]


def test_the_longer_text_of_a_pair_is_truncated_first() -> None:
    (text,) = tokenizer(10)([(WORDS, "one")], with_tokens=True)
    assert len(text) == 10
    assert ids(tokenizer(64), ("", "one"))[2:-1] == text.input_ids[-2:-1].tolist()
    assert text.truncated


@pytest.mark.parametrize("strategy", ["longest_first", "only_first", "only_second"])
def test_every_strategy_truncates_a_single_text(strategy: str) -> None:
    assert ids(tokenizer(8, truncation_strategy=strategy), WORDS) == ids(tokenizer(8), WORDS)


def test_only_the_second_text_of_a_pair_is_truncated_where_asked() -> None:
    query, passage = "one two", WORDS
    found = ids(tokenizer(10, truncation_strategy="only_second"), (query, passage))
    whole = ids(tokenizer(64), (query, passage))
    assert found == [*whole[:9], whole[-1]]


def test_special_tokens_in_a_text_do_not_count_as_its_own() -> None:
    (text,) = tokenizer()(["a"], with_tokens=True)
    assert text.special_tokens_mask.tolist() == [1, *[0] * (len(text) - 2), 1]


@pytest.mark.parametrize("stride", [0, 1, 4])
def test_a_stride_does_not_change_what_is_kept(stride: int) -> None:
    assert ids(tokenizer(8, stride=stride), WORDS) == ids(tokenizer(8), WORDS)


@pytest.mark.parametrize("stride", [5, 6, 7, 8, 1000])
def test_a_stride_as_long_as_the_text_is_refused(stride: int) -> None:
    with pytest.raises(ModelError) as refusal:
        tokenizer(8, stride=stride)
    assert str(refusal.value) == (
        f"a stride of {stride} tokens leaves nothing of the limit of 8 tokens, 3 of them special: "
        "choose a smaller stride"
    )


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_a_limit_without_room_for_text_is_refused(limit: int) -> None:
    with pytest.raises(ModelError) as refusal:
        tokenizer(limit)
    assert str(refusal.value) == (
        f"the limit of {limit} tokens leaves no room beside 3 special tokens: choose a larger --max-length"
    )


def test_the_smallest_limit_with_room_holds_one_token() -> None:
    assert len(ids(tokenizer(4), WORDS)) == 4


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"\xff\xfe", DATA[: len(DATA) // 2], b'{"model": {"type": "New"}}']
)
def test_what_is_not_a_tokenizer_is_refused_in_one_sentence(data: bytes) -> None:
    with pytest.raises(ModelError) as refusal:
        Tokenizer(data, TokenizerSpec(max_length=8))
    assert str(refusal.value).startswith("tokenizer.json cannot be read (")
    assert str(refusal.value).endswith("): export the tokenizer again")
    assert "\n" not in str(refusal.value)


class Panic(BaseException):
    """What the library raises when its Rust part gives up: no `Exception`."""


@pytest.mark.parametrize("error", [ValueError("no"), Panic("index out of bounds")], ids=["error", "panic"])
def test_a_failing_library_is_an_internal_error_without_the_text(
    monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def fail(*_: object, **__: bool) -> None:
        raise error

    replace_methods(monkeypatch, encode_batch=fail)
    words = tokenizer()
    with pytest.raises(InternalError) as failure:
        words(["a secret"], with_tokens=True)
    assert str(failure.value) == "Internal error: the tokenizer failed on this text"
    assert failure.value.__cause__ is error


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(1)], ids=repr)
def test_an_order_to_stop_is_not_taken_for_a_failure(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def stop(*_: object, **__: bool) -> None:
        raise error

    replace_methods(monkeypatch, encode_batch=stop)
    words = tokenizer()
    with pytest.raises(type(error)):
        words(["a"], with_tokens=True)


def test_threads_share_one_tokenizer() -> None:
    words = tokenizer()
    wanted = ids(words, WORDS)
    found: list[list[int]] = []

    def encode() -> None:
        for with_tokens in (True, False) * 20:
            found.append(words([WORDS], with_tokens=with_tokens)[0].input_ids.tolist())

    threads = [threading.Thread(target=encode) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [wanted] * 160


def test_the_vocabulary_is_counted_by_its_largest_id() -> None:
    words = tokenizer()
    assert words.vocabulary_size == 1200
    assert words.token_to_id("[PAD]") == 0
    assert words.token_to_id("unheard-of-token") is None
