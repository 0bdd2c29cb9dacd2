"""One case, every way in: `connect` opens a client of the way under test."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from support.gates import Gated
from support.house import WAYS_IN, Connect, House
from support.models import DEMO, open_model

WIRES = [way for way in WAYS_IN if way != "service"]


@pytest.fixture(scope="session")
def portal() -> Iterator[BlockingPortal]:
    """The event loop of the session, on a thread of its own."""
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture(scope="session")
def street(portal: BlockingPortal) -> Iterator[House]:
    """The house of the whole session, for tests that change nothing."""
    with ExitStack() as stack:
        yield House(portal, stack)


@pytest.fixture
def house(portal: BlockingPortal) -> Iterator[House]:
    """A house of the test's own, for limits, keys and models of its own."""
    with ExitStack() as stack:
        yield House(portal, stack)


@pytest.fixture(scope="module")
def block(portal: BlockingPortal) -> Iterator[House]:
    """A house that the tests of one file share."""
    with ExitStack() as stack:
        yield House(portal, stack)


@pytest.fixture(params=list(WAYS_IN))
def connect(request: pytest.FixtureRequest, street: House, house: House) -> Connect:
    """`connect("ner")` is a client of the way under test: the service itself, HTTP, gRPC or MCP."""
    return Connect(request.param, street, house)


@pytest.fixture(params=WIRES)
def connect_wire(request: pytest.FixtureRequest, street: House, house: House) -> Connect:
    """The same without the service itself, for tests that compare with it."""
    return Connect(request.param, street, house)


@pytest.fixture
def gated(house: House) -> Iterator[Gated]:
    """The sentiment model behind a gate, which opens at the latest when the test ends."""
    model = Gated(open_model(DEMO["sentiment"]))
    yield model
    model.open()
