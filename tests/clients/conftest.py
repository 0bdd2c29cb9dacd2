"""The served files, and the environments of clients (`make clients`)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from clients.harness import Served

VARIABLE = "ENCODERFILE_TEST_CLIENTS"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path == Path(__file__).with_name("test_clients.py"):
            item.add_marker("file")


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with ExitStack() as stack:
        yield Served(tmp_path_factory.mktemp("served"), stack)


@pytest.fixture(scope="session")
def environments() -> Path | None:
    """Where `make clients` has installed the clients, if it runs the tests."""
    return Path(os.environ[VARIABLE]) if VARIABLE in os.environ else None
