"""A full queue and a stopping server answer at once, and a client that disconnects makes room."""

import pytest

from encoderfile.errors import Kind
from encoderfile.service.limits import Limits
from support.clients import PATIENCE
from support.controlled_models import Gated
from support.servers import Connect, Servers

FULL = "the queue is full: 1 texts wait (at most 1) and 1 more came; try again in a moment"
DRAINING = "the server is stopping and takes no new requests"


@pytest.mark.proves(
    "ENC Rate limiting and performance",
    "How many depends on the machine, the model and the length of the texts",
    here="Limits are flags, and what exceeds them is refused at once.",
)
@pytest.mark.proves(
    "ENC Beyond the page",
    "A full queue, a server that stops",
    here="503 with `Retry-After`, `RESOURCE_EXHAUSTED` or `UNAVAILABLE`, at once.",
)
def test_a_full_queue_refuses_at_once_and_answers_what_it_took(connect: Connect, gated: Gated) -> None:
    client = connect(gated, Limits(max_queue=1))
    running = client.start(["in the run"])
    gated.wait_until_running()
    waiting = client.start(["in the queue"])
    gated.wait_until_encoded(2)
    assert client.refusal(["one too many"]) == client.says(Kind.RESOURCE_EXHAUSTED, FULL)
    gated.open()
    assert len(running.result(PATIENCE).results) == len(waiting.result(PATIENCE).results) == 1
    assert len(client.predict(["after the rush"]).results) == 1


def test_a_request_larger_than_the_queue_is_taken_when_nobody_waits(connect: Connect) -> None:
    assert len(connect("sentiment", Limits(max_queue=1)).predict(["text"] * 5).results) == 5


@pytest.mark.proves("ENC Beyond the page", "A full queue, a server that stops")
def test_a_stopping_server_refuses_new_work_and_answers_what_it_took(
    own: Servers, connect: Connect, gated: Gated
) -> None:
    service = own.service(gated)
    client = own.client(connect.way, service)
    accepted = client.start(["accepted"])
    gated.wait_until_running()
    drained = own.portal.start_task_soon(service.drain, PATIENCE)
    assert client.refusal(["too late"]) == client.says(Kind.UNAVAILABLE, DRAINING)
    gated.open()
    assert len(accepted.result(PATIENCE).results) == 1
    assert drained.result(PATIENCE) is True


def test_a_drain_that_runs_out_of_time_says_so(own: Servers, gated: Gated) -> None:
    service = own.service(gated)
    client = own.client("service", service)
    held = client.start(["held"])
    gated.wait_until_running()
    assert own.portal.call(service.drain, 0) is False
    gated.open()
    assert len(held.result(PATIENCE).results) == 1
