"""The clients in examples/clients against built files of every model type. Tools that are not here are skipped."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from support.example_files import PATIENCE, Addresses, checkout, environment, served
from support.models import DEMO, EXAMPLES, MODELS, ROOT

pytestmark = pytest.mark.file

FILES = {
    "SequenceClassification": (DEMO["sentiment"], "What a wonderful film!", "POSITIVE"),
    "TokenClassification": (DEMO["ner"], "John lives in Paris", "PER"),
    "SentenceEmbedding": (DEMO["embed"], "A dog runs in the park.", "0.2"),
    "Embedding": (MODELS / "bert-embed", "Hello world", "[CLS]"),
}
"""Per service: a model, a text, and what the answer to it must hold."""


@pytest.fixture(scope="module", params=list(FILES))
def service(request: pytest.FixtureRequest) -> str:
    """The service of one model type."""
    return str(request.param)


@pytest.fixture(scope="module")
def file(service: str, built: Callable[[Path, str], Path]) -> Path:
    """The built file of that type."""
    return built(FILES[service][0], service)


@pytest.fixture(scope="module")
def server(file: Path) -> Iterator[Addresses]:
    """The file, serving."""
    command = [file, "serve", "--http-port", "0", "--grpc-port", "0"]
    with served(command, file.parent) as addresses:
        yield addresses


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clients with their Python stubs, made by the command of the page."""
    folder = checkout(tmp_path_factory.mktemp("clients"))
    page = (EXAMPLES / "clients" / "README.md").read_text()
    command = next(line for line in page.splitlines() if line.startswith("python -m grpc_tools.protoc"))
    subprocess.run(command.split(), cwd=folder, env=environment(), check=True, timeout=PATIENCE)
    return folder / "examples" / "clients"


def ask(command: Sequence[str | Path], service: str, cwd: Path | None = None) -> None:
    """Runs a client with the service's text; its answer must hold what it should, and a refusal its sentence."""
    _, text, found = FILES[service]
    done = run([*command, text], cwd)
    assert done.returncode == 0, done.stderr
    assert found in done.stdout
    assert done.stderr == ""
    refused = run([*command, ""], cwd)
    assert refused.returncode != 0
    assert "Invalid input: empty text sequence" in refused.stdout + refused.stderr
    assert "Traceback" not in refused.stderr


def run(command: Sequence[str | Path], cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*command], cwd=cwd, env=environment(), capture_output=True, text=True, check=False, timeout=PATIENCE
    )


def needs(program: str) -> str:
    """The program's path; skips where it is not installed."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found


def python(script: Path) -> list[str]:
    return [sys.executable, "-W", "error", str(script)]


@pytest.mark.proves("ENC Client examples", "Python over HTTP")
def test_the_python_http_client_gets_the_answer(service: str, server: Addresses, clients: Path) -> None:
    ask([*python(clients / "python" / "http_client.py"), server.url], service)


@pytest.mark.proves("ENC Client examples", "Python over gRPC, with generated stubs")
def test_the_python_grpc_client_gets_the_answer(service: str, server: Addresses, clients: Path) -> None:
    ask([*python(clients / "python" / "grpc_client.py"), server.target, service], service)


@pytest.mark.proves("ENC MCP", "`serve` is enough to connect a client at `/mcp`")
def test_the_mcp_client_gets_the_answer_over_http(service: str, server: Addresses, clients: Path) -> None:
    ask([*python(clients / "python" / "mcp_client.py"), f"{server.url}/mcp"], service)


def test_the_mcp_client_gets_the_answer_over_stdio(service: str, file: Path, clients: Path) -> None:
    ask([*python(clients / "python" / "mcp_client.py"), str(file)], service)


def test_clients_say_in_one_line_that_nobody_answers(clients: Path) -> None:
    for name, place in (("http", "http://localhost:1"), ("grpc", "localhost:1"), ("mcp", "http://localhost:1/mcp")):
        service = ["Embedding"] if name == "grpc" else []
        done = run([*python(clients / "python" / f"{name}_client.py"), place, *service, "x"])
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1, done.stderr


@pytest.mark.proves("ENC Client examples", "JavaScript over HTTP")
def test_the_javascript_http_client_gets_the_answer(service: str, server: Addresses) -> None:
    ask([needs("node"), EXAMPLES / "clients" / "javascript" / "http.mjs", server.url], service)


def test_the_javascript_grpc_client_gets_the_answer(service: str, server: Addresses) -> None:
    folder = EXAMPLES / "clients" / "javascript"
    node = needs("node")
    if not (folder / "node_modules" / "@grpc" / "grpc-js").is_dir():
        pytest.skip("`npm install` was not run in examples/clients/javascript")
    ask([node, folder / "grpc.mjs", server.target, service], service)


@pytest.fixture(scope="module")
def go_client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Go client, generated and compiled as its page says, without the network."""
    go = needs("go")
    folder = checkout(tmp_path_factory.mktemp("go")) / "examples" / "clients" / "go"
    offline = environment(GOPROXY="off", GOFLAGS="-mod=readonly", PROTOC=f"{sys.executable} -m grpc_tools.protoc")
    if subprocess.run([go, "mod", "verify"], cwd=folder, env=offline, check=False, capture_output=True).returncode:
        pytest.skip("the Go client's modules are not downloaded: `go mod download` in examples/clients/go")
    subprocess.run(["sh", "generate.sh"], cwd=folder, env=offline, check=True, timeout=PATIENCE)
    subprocess.run([go, "build", "-o", "client", "."], cwd=folder, env=offline, check=True, timeout=PATIENCE)
    return folder / "client"


@pytest.mark.proves("ENC Client examples", "Go over gRPC, with generated stubs")
def test_the_go_client_gets_the_answer(service: str, server: Addresses, go_client: Path) -> None:
    ask([go_client, server.target, service], service)


@pytest.mark.proves("ENC GET /health", "The curl example")
@pytest.mark.proves("ENC GET /model", "The curl example and its answer")
@pytest.mark.proves("ENC GET /openapi.json", "The curl example")
@pytest.mark.proves(
    "ENC POST /predict, embedding",
    "The curl example and the form of its answer",
    here="Its numbers are illustrations there; here `[SEP]` follows too.",
)
@pytest.mark.proves("ENC POST /predict, sequence_classification", "The curl example and the form of its answer")
@pytest.mark.proves(
    "ENC POST /predict, token_classification",
    "The curl example and the form of its answer",
    here="Every token is there, with its true offsets; the page shows a few, off by one.",
)
@pytest.mark.proves("ENC Client examples", "curl, for every model type")
def test_curl_gets_the_answer(service: str, server: Addresses) -> None:
    needs("curl")
    ask(["sh", EXAMPLES / "clients" / "shell" / "curl.sh", server.url], service)


@pytest.mark.proves("ENC gRPC", "The grpcurl examples, for every service")
def test_grpcurl_gets_the_answer(service: str, server: Addresses) -> None:
    needs("grpcurl")
    ask(["sh", EXAMPLES / "clients" / "shell" / "grpcurl.sh", server.target, service], service)


def test_the_table_of_clients_names_every_client() -> None:
    page = (EXAMPLES / "clients" / "README.md").read_text()
    clients = [
        os.path.relpath(path, ROOT)
        for suffix in ("*_client.py", "*.mjs", "*.sh")
        for path in (EXAMPLES / "clients").glob(f"*/{suffix}")
        if path.name != "generate.sh"
    ]
    assert len(clients) == 7
    assert [path for path in clients if path not in page] == []
