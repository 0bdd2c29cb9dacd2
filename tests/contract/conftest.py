"""One test, every protocol: `connect` opens a client of the protocol under test."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from anyio.from_thread import BlockingPortal

from support.controlled_models import Gated
from support.models import DEMO, open_model
from support.servers import WAYS_IN, Connect, Servers

WIRES = [way for way in WAYS_IN if way != "service"]


@pytest.fixture(scope="module")
def module_servers(portal: BlockingPortal) -> Iterator[Servers]:
    """Shared by the tests of one file."""
    with ExitStack() as stack:
        yield Servers(portal, stack)


@pytest.fixture(params=list(WAYS_IN))
def connect(request: pytest.FixtureRequest, servers: Servers, own: Servers) -> Connect:
    """`connect("ner")` is a client of the way under test: the service itself, HTTP, gRPC or MCP."""
    return Connect(request.param, servers, own)


@pytest.fixture(params=WIRES)
def connect_wire(request: pytest.FixtureRequest, servers: Servers, own: Servers) -> Connect:
    """The same without the service itself, for tests that compare with it."""
    return Connect(request.param, servers, own)


@pytest.fixture
def gated(own: Servers) -> Iterator[Gated]:
    """The sentiment model, whose runs wait until the test opens the gate, or ends."""
    model = Gated(open_model(DEMO["sentiment"]))
    yield model
    model.open()
