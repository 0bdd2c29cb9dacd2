"""HTTP: the body limit holds, whether the client says the length beforehand or not."""

import json
from collections.abc import AsyncIterator

import pytest

from support.clients import HttpClient
from support.servers import Servers

LIMIT = 1000
TOO_LARGE = (413, "The body is larger than 1000 bytes; split the request")


@pytest.fixture
def http(own: Servers) -> HttpClient:
    client: HttpClient = own.client("http", "sentiment", max_body_bytes=LIMIT)
    return client


def body_of(size: int) -> bytes:
    empty = json.dumps({"inputs": [""]}).encode()
    return empty.replace(b'""', b'"' + b"a" * (size - len(empty)) + b'"')


def test_a_body_at_the_limit_is_answered(http: HttpClient) -> None:
    assert len(body_of(LIMIT)) == LIMIT
    assert http.post(body_of(LIMIT)).status_code == 200


@pytest.mark.proves(
    "ENC Beyond the page",
    "A body over the size limit",
    here="413, in gRPC `RESOURCE_EXHAUSTED`.",
)
def test_a_longer_body_is_413_and_the_next_is_answered(http: HttpClient) -> None:
    response = http.post(body_of(LIMIT + 1))
    assert (response.status_code, response.text) == TOO_LARGE
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert http.post(body_of(LIMIT)).status_code == 200


@pytest.mark.proves("ENC Beyond the page", "A body over the size limit")
def test_a_longer_body_in_chunks_is_413_too(http: HttpClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, LIMIT + 1, 100):
            yield body_of(LIMIT + 1)[start : start + 100]

    response = http.request("POST", "/predict", content=chunks(), headers={"content-type": "application/json"})
    assert (response.status_code, response.text) == TOO_LARGE


def test_a_length_that_was_only_announced_is_refused_before_the_body_comes(http: HttpClient) -> None:
    async def never() -> AsyncIterator[bytes]:
        yield b"{"
        raise AssertionError("the server asked for the rest")

    headers = {"content-type": "application/json", "content-length": "5000000000"}
    with pytest.raises(AssertionError, match="asked for the rest"):
        http.request("POST", "/predict", content=never(), headers=headers)
    assert http.post(body_of(LIMIT)).status_code == 200
