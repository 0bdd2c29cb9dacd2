"""HTTP: `/health` and `/model`, exactly."""

import http.client
import json
from urllib.parse import urlsplit

import pytest

from support.clients import PATIENCE
from support.model_types import OF_EACH_TYPE, id_of, labels_of, task_of
from support.servers import Servers


@pytest.mark.proves("ENC HTTP", "Endpoints answer JSON", "The common endpoints are there for every model type")
@pytest.mark.proves("ENC GET /health", 'The server is running: `"OK!"` with status 200')
@pytest.mark.parametrize("name", OF_EACH_TYPE)
def test_health_is_the_json_text_ok(name: str, servers: Servers) -> None:
    response = servers.shared("http", name).get("/health")
    assert (response.status_code, response.content) == (200, b'"OK!"')
    assert response.headers["content-type"] == "application/json"


@pytest.mark.proves(
    "ENC Overview",
    "The model type decides which there are: `embedding`, `sequence_classification`, `token_classification`",
    here="`sentence_embedding` is a fourth, as v0.7.0 has it.",
)
@pytest.mark.proves("ENC HTTP", "Endpoints answer JSON", "The common endpoints are there for every model type")
@pytest.mark.proves(
    "ENC GET /model",
    "`model_id` is the name given when the file was built",
    "`model_type` is the type of the model",
    "`id2label` maps indices, as strings, to labels for classifiers; embedding models have none",
    "Status 200",
)
@pytest.mark.parametrize("name", OF_EACH_TYPE)
def test_model_has_the_fields_of_its_type_and_no_other(name: str, servers: Servers) -> None:
    response = servers.shared("http", name).get("/model")
    expected: dict[str, object] = {"model_id": id_of(name), "model_type": task_of(name).name}
    if task_of(name).has_labels:
        expected["id2label"] = labels_of(name)
    assert (response.status_code, response.json()) == (200, expected)
    assert response.headers["content-type"] == "application/json"


def test_floats_are_written_as_short_as_float32_allows(servers: Servers) -> None:
    text = servers.shared("http", "embed").post(json.dumps({"inputs": ["hello"]})).text
    digits = [
        len(number.lstrip("-0.").partition("e")[0].replace(".", ""))
        for number in text.split("[")[2].split("]")[0].split(",")
    ]
    assert len(digits) > 100
    assert max(digits) <= 9


@pytest.mark.proves("ENC Rate limiting and performance", "Advice: keep connections")
def test_one_connection_carries_many_requests(servers: Servers) -> None:
    place = urlsplit(servers.url("sentiment"))
    assert place.hostname is not None
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=PATIENCE)
    connection.connect()
    socket = connection.sock
    for text, status in (("good", 200), ("", 422), ("bad", 200)):
        connection.request("POST", "/predict", json.dumps({"inputs": [text]}), {"Content-Type": "application/json"})
        response = connection.getresponse()
        assert response.status == status
        response.read()
        assert connection.sock is socket
    connection.close()
