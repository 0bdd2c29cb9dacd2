"""A full queue and a stopping server answer at once, and a caller who leaves makes room."""

from encoderfile.errors import Kind
from encoderfile.service.limits import Limits
from support.clients import PATIENCE
from support.gates import Gated
from support.house import Connect, House

FULL = "the queue is full: at most 1 texts wait, 1 do and 1 came; try again in a moment"
DRAINING = "the server is stopping and takes no new requests"


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


def test_a_stopping_server_refuses_new_work_and_answers_what_it_took(
    house: House, connect: Connect, gated: Gated
) -> None:
    service = house.service(gated)
    client = house.client(connect.way, service)
    accepted = client.start(["accepted"])
    gated.wait_until_running()
    drained = house.portal.start_task_soon(service.drain, PATIENCE)
    assert client.refusal(["too late"]) == client.says(Kind.UNAVAILABLE, DRAINING)
    gated.open()
    assert len(accepted.result(PATIENCE).results) == 1
    assert drained.result(PATIENCE) is True


def test_a_drain_that_runs_out_of_time_says_so(house: House, gated: Gated) -> None:
    service = house.service(gated)
    client = house.client("service", service)
    held = client.start(["held"])
    gated.wait_until_running()
    assert house.portal.call(service.drain, 0) is False
    gated.open()
    assert len(held.result(PATIENCE).results) == 1
