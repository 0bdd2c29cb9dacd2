"""A text beyond the model's limit is cut, visibly, or refused when the server was told so."""

import pytest

from encoderfile.errors import Kind
from encoderfile.service.limits import Limits
from support.model_types import OF_EACH_TYPE
from support.servers import Connect

LONG = "word " * 400


@pytest.mark.proves(
    "ENC Beyond the page",
    "A text longer than the model's limit",
    here="Truncated, and counted beside the answer; refused with `--overflow error`.",
)
@pytest.mark.parametrize("name", OF_EACH_TYPE)
def test_truncated_texts_are_counted_beside_the_answer(name: str, connect: Connect) -> None:
    client = connect(name)
    answer = client.predict([LONG, "short", LONG], normalize=True)
    assert len(answer.results) == 3
    assert answer.truncated == 2


def test_nothing_is_said_when_nothing_was_truncated(connect: Connect) -> None:
    assert connect().predict(["short"]).truncated == 0


def test_a_truncated_text_has_as_many_tokens_as_the_limit_says(connect: Connect) -> None:
    (embedded,) = connect("embed-tokens").predict([LONG], normalize=True).results
    assert len(embedded["embeddings"]) == 256
    (labelled,) = connect("ner").predict([LONG]).results
    assert len(labelled["tokens"]) == 256 - len(["[CLS]", "[SEP]"])


@pytest.mark.proves("ENC Beyond the page", "A text longer than the model's limit")
def test_a_text_at_the_limit_is_not_truncated_and_one_token_more_is(connect: Connect) -> None:
    client = connect("embed-tokens")
    at_limit, beyond = "word " * 254, "word " * 255
    whole = client.predict([at_limit], normalize=True)
    assert (len(whole.results[0]["embeddings"]), whole.truncated) == (256, 0)
    assert client.predict([beyond], normalize=True).truncated == 1


@pytest.mark.proves("ENC Beyond the page", "A text longer than the model's limit")
def test_with_overflow_error_a_long_text_is_refused_with_its_place_and_the_limit(connect: Connect) -> None:
    client = connect("sentiment", Limits(refuse_overflow=True))
    sentence = (
        "Invalid input: inputs[1] has more than 256 tokens, the most this model takes: "
        "shorten it, or use --overflow truncate"
    )
    assert client.refusal(["short", LONG]) == client.says(Kind.INVALID_ARGUMENT, sentence)
    assert len(client.predict(["short"]).results) == 1
