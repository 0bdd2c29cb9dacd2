"""The same question has the same answer, whichever way it came in."""

import numpy as np
import pytest

from support.clients import PATIENCE, Answer
from support.controlled_models import Gated
from support.model_types import FOLDERS, OF_EACH_TYPE
from support.servers import WAYS_IN, Connect, Servers

TEXTS = ["What a wonderful day in Paris!", "John Smith works for Acme Corp.", "no", "a longer text, " * 9]


@pytest.mark.proves("ENC Overview", "Three protocols: HTTP with JSON, gRPC with Protocol Buffers, and MCP")
@pytest.mark.proves("ENC gRPC", "The same functions as HTTP")
@pytest.mark.proves(
    "ENC MCP", "It returns the HTTP answer", here="In `_meta` it also says how many texts were truncated."
)
@pytest.mark.proves("ENC Rate limiting and performance", "Advice: gRPC for many requests")
@pytest.mark.parametrize("name", FOLDERS)
def test_every_wire_carries_the_services_numbers_to_the_last_bit(
    name: str, connect_wire: Connect, servers: Servers
) -> None:
    told = connect_wire(name).predict(TEXTS, normalize=True)
    assert told.body == servers.shared("service", name).predict(TEXTS, normalize=True).body


@pytest.mark.proves("ENC POST /predict", "`results`: one per input")
@pytest.mark.proves("ENC Rate limiting and performance", "Every endpoint takes several inputs at once")
@pytest.mark.parametrize("name", OF_EACH_TYPE)
def test_results_come_in_the_order_of_the_inputs(name: str, connect: Connect) -> None:
    client = connect(name)
    forth = client.predict(TEXTS, normalize=False)
    back = client.predict(TEXTS[::-1], normalize=False)
    assert len(forth.results) == len(TEXTS)
    for one, other in zip(forth.results, back.results[::-1], strict=True):
        np.testing.assert_allclose(numbers(one), numbers(other), atol=1e-4)


@pytest.mark.proves("ENC Rate limiting and performance", "Every endpoint takes several inputs at once")
@pytest.mark.parametrize("name", OF_EACH_TYPE)
def test_a_text_has_the_same_numbers_alone_and_in_a_batch(name: str, connect: Connect) -> None:
    client = connect(name)
    together = client.predict(TEXTS, normalize=False).results
    for text, among_others in zip(TEXTS, together, strict=True):
        (alone,) = client.predict([text], normalize=False).results
        np.testing.assert_allclose(numbers(alone), numbers(among_others), atol=1e-4)


@pytest.mark.parametrize("name", OF_EACH_TYPE)
def test_the_same_text_many_times_has_one_answer(name: str, connect: Connect) -> None:
    results = connect(name).predict(["Paris"] * 50, normalize=True).results
    assert len(results) == 50
    for result in results:
        np.testing.assert_allclose(numbers(result), numbers(results[0]), atol=1e-4)


@pytest.mark.proves(
    "ENC Rate limiting and performance",
    "One request with many inputs costs less than many requests",
    "Advice: send texts together",
)
def test_the_inputs_of_one_request_share_a_run(connect: Connect, gated: Gated) -> None:
    gated.open()
    assert len(connect(gated).predict(["one", "two", "three", "four", "five"]).results) == 5
    assert gated.batches == [5]


@pytest.mark.proves("ENC Rate limiting and performance", "Many requests at the same time are handled")
def test_concurrent_clients_of_every_protocol_each_get_their_own_answer(own: Servers) -> None:
    service = own.service("sentiment")
    clients = [own.client(way, service) for way in WAYS_IN]
    texts = [f"{word} film number {number}" for number in range(20) for word in ("good", "bad")]
    alone = {text: numbers(clients[0].predict([text]).results[0]) for text in texts}
    asked = [(text, client.start([text])) for text in texts for client in clients]
    for text, future in asked:
        answer: Answer = future.result(PATIENCE)
        np.testing.assert_allclose(numbers(answer.results[0]), alone[text], atol=1e-4)


def numbers(result: dict[str, object]) -> list[float]:
    """Every float of a result, in order."""
    found: list[float] = []

    def collect(value: object) -> None:
        if isinstance(value, float):
            found.append(value)
        elif isinstance(value, dict):
            collect(list(value.values()))
        elif isinstance(value, list):
            for each in value:
                collect(each)

    collect(result)
    return found
