"""What fails inside is said in a sentence without paths and without the caller's text; the server goes on."""

import pytest

from encoderfile.errors import InternalError, Kind
from encoderfile.model.model import Model
from support.clients import PATIENCE, refusal_of
from support.controlled_models import Faulty, Gated, Infinite, Nonsense
from support.model_types import OF_EACH_TYPE, folder_of
from support.models import DEMO, open_model
from support.servers import Connect, Servers

SECRET = RuntimeError("cannot open /opt/secret/weights.bin while reading 'boom'")
FAILED_TO_RUN = "Internal error: the model failed to run"
NOT_FINITE = "Internal error: the model's output is not finite (NaN or infinity)"


@pytest.mark.proves("ENC HTTP", "Errors have an HTTP status and a message")
@pytest.mark.proves("ENC POST /predict", "Status 500 for an error of the server")
@pytest.mark.proves("ENC gRPC", "`INTERNAL` where HTTP answers 500, configuration errors included")
@pytest.mark.proves("ENC Errors", "`InternalError`: 500, `INTERNAL`, `INTERNAL_ERROR`")
@pytest.mark.parametrize(
    ("faults", "sentence"),
    [
        ({"run": SECRET}, FAILED_TO_RUN),
        ({"encode": SECRET}, "Internal error: the server failed, its log has the cause"),
        (
            {"encode": InternalError("the tokenizer failed on this text")},
            "Internal error: the tokenizer failed on this text",
        ),
    ],
    ids=["while running", "while tokenising", "in the tokenizer's library"],
)
def test_a_failure_is_one_sentence_and_the_next_request_is_answered(
    faults: dict[str, Exception], sentence: str, connect: Connect
) -> None:
    client = connect(Faulty(sentiment(), **faults))
    assert client.refusal(["boom"]) == client.says(Kind.INTERNAL, sentence)
    assert len(client.predict(["fine"]).results) == 1


@pytest.mark.proves("ENC POST /predict", "Status 500 for an error of the server")
@pytest.mark.proves(
    "ENC Beyond the page",
    "Outputs that are not finite",
    here="An internal error, never `null`.",
)
@pytest.mark.parametrize("name", OF_EACH_TYPE)
def test_numbers_that_are_not_finite_are_a_failure_and_never_an_answer(name: str, connect: Connect) -> None:
    client = connect(Infinite(open_model(*folder_of(name))))
    assert client.refusal(["fine", "boom"], normalize=True) == client.says(Kind.INTERNAL, NOT_FINITE)
    assert len(client.predict(["fine"], normalize=True).results) == 1


def test_an_answer_that_cannot_be_written_is_a_failure_too(connect_wire: Connect) -> None:
    client = connect_wire(Nonsense(sentiment()))
    sentence = "Internal error: the server failed, its log has the cause"
    assert client.refusal(["fine"]) == client.says(Kind.INTERNAL, sentence)


@pytest.mark.proves("ENC Errors", "`InternalError`: 500, `INTERNAL`, `INTERNAL_ERROR`")
@pytest.mark.parametrize("way", ["http", "grpc", "mcp"])
def test_a_failure_that_nobody_foresaw_is_logged_once(
    way: str, own: Servers, caplog: pytest.LogCaptureFixture
) -> None:
    own.client(way, Nonsense(sentiment())).refusal(["fine"])
    errors = [record for record in caplog.records if record.levelname == "ERROR"]
    assert len(errors) == 1
    assert errors[0].exc_info is not None


@pytest.mark.proves("ENC Beyond the page", "Outputs that are not finite")
@pytest.mark.parametrize("spoiler", ["an exception", "not a number"])
def test_one_bad_text_does_not_spoil_the_answers_of_its_batch(spoiler: str, connect: Connect) -> None:
    bad = Faulty(sentiment(), run=SECRET) if spoiler == "an exception" else Infinite(sentiment())
    model = Gated(bad)
    client = connect(model)
    first = client.start(["in the run"])
    model.wait_until_running()
    companions = [client.start([text]) for text in ("good", "boom", "fine")]
    model.wait_until_encoded(4)
    model.open()
    good, boom, fine = companions
    sentence = FAILED_TO_RUN if spoiler == "an exception" else NOT_FINITE
    assert refusal_of(boom) == client.says(Kind.INTERNAL, sentence)
    for answered in (first, good, fine):
        assert len(answered.result(PATIENCE).results) == 1
    assert 3 in model.batches, "the three were to share a batch"


def sentiment() -> Model:
    return open_model(DEMO["sentiment"])
