"""The files under test, built once for the whole session, and clients for what they serve."""

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, ExitStack
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal

from support.clients import grpc_client, http_client, mcp_client
from support.files import BuiltFile, Server, encoderfile
from support.kinds import TYPES as KIND_TYPES
from support.models import DEMO

TYPES = {
    "sentiment": "sequence_classification",
    "ner": "token_classification",
    "embed": "sentence_embedding",
    **KIND_TYPES,
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("file")


class Files:
    """`files["ner"]` is the built file of a model folder, made on first use by `encoderfile build`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._built: dict[str, BuiltFile] = {}

    def __getitem__(self, name: str) -> BuiltFile:
        if name not in self._built:
            self._built[name] = self.build(name, DEMO[name])
        return self._built[name]

    def build(self, name: str, model: Path, *flags: str) -> BuiltFile:
        path = self._folder / name / f"{name}.encoderfile"
        done = encoderfile("build", model, "--name", name, "-o", path, *flags)
        assert done.returncode == 0, done.stderr
        return BuiltFile(path, self._folder / "cache")


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Files(tmp_path_factory.mktemp("files"))


@pytest.fixture
def sentiment(files: Files) -> BuiltFile:
    """The file that most tests run."""
    return files["sentiment"]


class Clients:
    """`clients("grpc", server, "ner")` is a client of a running file."""

    def __init__(self, portal: BlockingPortal, stack: ExitStack) -> None:
        self._portal = portal
        self._stack = stack

    def _enter(self, client: AbstractAsyncContextManager[Any]) -> Any:
        return self._stack.enter_context(self._portal.wrap_async_context_manager(client))

    def __call__(self, way: str, server: Server, name: str, **options: Any) -> Any:
        if way == "http":
            return self._enter(http_client(self._portal, server.url, **options))
        if way == "grpc":
            return self._enter(grpc_client(self._portal, server.grpc, TYPES[name], **options))
        return self._enter(mcp_client(self._portal, f"{server.url}/mcp", **options))

    def of_command(self, command: Any, mode: str = "auto") -> Any:
        """An MCP client of a command that it starts and ends, over stdin and stdout."""
        return self._enter(mcp_client(self._portal, command, mode))


@pytest.fixture
def clients(portal: BlockingPortal) -> Iterator[Clients]:
    with ExitStack() as stack:
        yield Clients(portal, stack)


class Served:
    """`served["ner"]` is the running server of a file, started on first use and shared by the session."""

    def __init__(self, files: Files, stack: ExitStack) -> None:
        self._files = files
        self._stack = stack
        self._servers: dict[str, Server] = {}

    def __getitem__(self, name: str) -> Server:
        if name not in self._servers:
            self._servers[name] = self._stack.enter_context(self._files[name].serve())
        return self._servers[name]


@pytest.fixture(scope="session")
def served(files: Files) -> Iterator[Served]:
    with ExitStack() as stack:
        yield Served(files, stack)
