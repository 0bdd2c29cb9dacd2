"""HTTP: a 503 says when to come back."""

import json

import pytest

from encoderfile.service.limits import Limits
from support.clients import PATIENCE
from support.controlled_models import Gated
from support.servers import Servers


def ask(text: str) -> bytes:
    return json.dumps({"inputs": [text]}).encode()


@pytest.mark.proves("ENC Beyond the page", "A full queue, a server that stops")
def test_a_full_queue_says_retry_after_one_second(own: Servers, gated: Gated) -> None:
    client = own.client("http", own.service(gated, Limits(max_queue=1)))
    held = [client.start(["in the run"])]
    gated.wait_until_running()
    held.append(client.start(["in the queue"]))
    gated.wait_until_encoded(2)
    response = client.post(ask("one too many"))
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    gated.open()
    for each in held:
        assert each.result(PATIENCE).results


def test_a_stopping_server_says_retry_after_one_second_and_is_still_alive(own: Servers) -> None:
    service = own.service()
    client = own.client("http", service)
    assert own.portal.call(service.drain, PATIENCE) is True
    response = client.post(ask("too late"))
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert client.get("/health").status_code == 200
