"""Servers of every kind of model, shared by the tests of every dialect."""

from collections.abc import Iterator

import pytest

from support.dialects import Sie, SieServers, sie_servers


@pytest.fixture(scope="session")
def sie(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SieServers]:
    """`sie["dense"]` is a client of a server with a model that gives dense vectors, and so on."""
    with sie_servers(tmp_path_factory.mktemp("sie")) as found:
        yield found


@pytest.fixture
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SieServers]:
    """The same for one test alone, for limits, keys and models of its own."""
    with sie_servers(tmp_path_factory.mktemp("own")) as found:
        yield found


@pytest.fixture
def dense(sie: SieServers) -> Sie:
    return sie["dense"]


@pytest.fixture
def cross(sie: SieServers) -> Sie:
    return sie["cross"]


@pytest.fixture
def ner(sie: SieServers) -> Sie:
    return sie["ner"]


@pytest.fixture
def labels(sie: SieServers) -> Sie:
    return sie["labels"]
