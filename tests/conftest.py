"""For all tests: an event loop beside them with servers on it, and what has to be said before gRPC is first used."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

if TYPE_CHECKING:
    from support.servers import Servers

# Tests start processes while servers and clients of gRPC run in this one. gRPC's handlers around `fork` let such a
# process, one that is started as another user, now and then end by a signal before it becomes the program.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "false"


@pytest.fixture(scope="session")
def portal() -> Iterator[BlockingPortal]:
    """The event loop of the session, on a thread of its own."""
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture(scope="session")
def servers(portal: BlockingPortal) -> Iterator[Servers]:
    """Shared by the whole session, for tests that change nothing."""
    from support.servers import Servers

    with ExitStack() as stack:
        yield Servers(portal, stack)


@pytest.fixture
def own(portal: BlockingPortal) -> Iterator[Servers]:
    """Those of one test alone, for limits, keys and models of its own."""
    from support.servers import Servers

    with ExitStack() as stack:
        yield Servers(portal, stack)
