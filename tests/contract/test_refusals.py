"""What the caller must change is refused with one sentence, the same on every way in."""

import pytest

from encoderfile.errors import Kind
from encoderfile.service.limits import Limits
from support.model_types import OF_EACH_TYPE
from support.servers import Connect, Servers

EMPTY = "Invalid input: inputs is empty: send at least one text"
TOO_MANY = "Invalid input: at most 3 inputs per request, got 4: split the request"


@pytest.mark.proves("ENC POST /predict", "`inputs`: required, a list of strings")
@pytest.mark.parametrize("name", OF_EACH_TYPE)
def test_an_empty_list_is_refused(name: str, connect: Connect) -> None:
    client = connect(name)
    assert client.refusal([], normalize=True) == client.says(Kind.INVALID_ARGUMENT, EMPTY)


@pytest.mark.proves("ENC POST /predict", "`inputs`: required, a list of strings")
@pytest.mark.proves("ENC gRPC", "`INVALID_ARGUMENT` where HTTP answers 422")
@pytest.mark.proves(
    "ENC Errors", "`InputError`: 422, `INVALID_ARGUMENT`, `INVALID_REQUEST`", "gRPC: a status with code and message"
)
@pytest.mark.proves("ENC Errors", "The message for an empty text", here="It also names the input.")
@pytest.mark.parametrize("name", OF_EACH_TYPE)
@pytest.mark.parametrize("index", [0, 2])
def test_an_empty_text_is_refused_and_its_place_is_named(name: str, index: int, connect: Connect) -> None:
    texts = ["one", "two", "three"]
    texts[index] = ""
    client = connect(name)
    sentence = f"Invalid input: empty text sequence (inputs[{index}])"
    assert client.refusal(texts, normalize=True) == client.says(Kind.INVALID_ARGUMENT, sentence)


@pytest.mark.proves(
    "ENC Rate limiting and performance", "How many depends on the machine, the model and the length of the texts"
)
def test_more_inputs_than_allowed_are_refused_with_the_limit_and_the_number(connect: Connect) -> None:
    client = connect("sentiment", Limits(max_inputs=3))
    assert client.refusal(["text"] * 4) == client.says(Kind.INVALID_ARGUMENT, TOO_MANY)
    assert len(client.predict(["text"] * 3).results) == 3


@pytest.mark.proves(
    "ENC Beyond the page",
    "10,000 inputs in one request",
    here="Refused above `--max-inputs`, else answered.",
)
def test_ten_thousand_inputs_are_refused_unless_allowed_and_then_answered(connect: Connect) -> None:
    texts = ["good", "bad"] * 5000
    sentence = "Invalid input: at most 4096 inputs per request, got 10000: split the request"
    client = connect("sentiment")
    assert client.refusal(texts) == client.says(Kind.INVALID_ARGUMENT, sentence)
    results = connect("sentiment", Limits(max_inputs=10_000)).predict(texts).results
    assert [each["predicted_label"] for each in results] == ["POSITIVE", "NEGATIVE"] * 5000


@pytest.mark.proves("ENC Beyond the page", "Lone surrogates")
def test_a_lone_surrogate_that_gets_past_a_decoder_is_refused_by_the_service(servers: Servers) -> None:
    client = servers.shared("service", "sentiment")
    sentence = "Invalid input: inputs[1] holds a lone surrogate, which is not valid Unicode"
    assert client.refusal(["fine", "a\ud800b"]) == client.says(Kind.INVALID_ARGUMENT, sentence)


def test_a_refused_request_leaves_the_next_one_alone(connect: Connect) -> None:
    client = connect()
    before = client.predict(["fine"])
    client.refusal(["fine", ""])
    assert client.predict(["fine"]) == before
