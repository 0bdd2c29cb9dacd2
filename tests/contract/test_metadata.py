"""Metadata comes back as it was sent."""

import pytest

from support.model_types import OF_EACH_TYPE
from support.servers import Connect


@pytest.mark.proves(
    "ENC POST /predict",
    "`metadata`: optional, keys and values of the caller's own, which come back",
    here="Values that are not strings are refused.",
)
@pytest.mark.parametrize("name", OF_EACH_TYPE)
def test_metadata_is_echoed(name: str, connect: Connect) -> None:
    metadata = {"trace": "42", "": "empty key", "empty value": "", "ключ": "значение 😀\n\x00"}
    assert connect(name).predict(["hello"], normalize=True, metadata=metadata).body["metadata"] == metadata


@pytest.mark.proves("ENC POST /predict", "`metadata`: optional, keys and values of the caller's own, which come back")
@pytest.mark.parametrize("name", OF_EACH_TYPE)
def test_metadata_that_was_not_sent_is_absent(name: str, connect: Connect) -> None:
    assert set(connect(name).predict(["hello"], normalize=True).body) == {"results", "model_id"}


@pytest.mark.proves("ENC POST /predict", "`metadata`: optional, keys and values of the caller's own, which come back")
def test_empty_metadata_comes_back_empty_where_the_wire_can_tell(connect: Connect) -> None:
    client = connect()
    body = client.predict(["hello"], metadata={}).body
    assert body.get("metadata") == ({} if client.tells_empty_metadata else None)
