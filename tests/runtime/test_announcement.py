"""What `serve` says when it is ready: a log gets lines, a person a block to open and to copy from."""

import io
import json
import logging
import shlex
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format

from encoderfile.model.device import Device
from encoderfile.model.model import Model
from encoderfile.runtime.announcement import announce
from encoderfile.service.limits import Limits
from encoderfile.service.service import Service
from encoderfile.settings import ServeSettings
from encoderfile.transports._pb import encoderfile_pb2
from support.dialects import make_cross_encoder
from support.kinds import KINDS
from support.models import DEMO, MODELS, open_model

DEVICE = Device("cpu", "tests")
FOLDERS = {
    "sentences": DEMO["embed"],
    "tokens": MODELS / "bert-embed",
    "gliclass": KINDS["gliclass"],
    "gliner": KINDS["gliner-span"],
}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def bound() -> Iterator[socket.socket]:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        yield made


@pytest.fixture
def said(bound: socket.socket, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Any:
    """`said(...)` are the lines of the log and of the terminal, the port of HTTP in them being PORT."""
    monkeypatch.setenv("NO_COLOR", "1")
    caplog.set_level(logging.INFO)

    def say(
        terminal: bool = True, grpc_port: int = 50051, model: Model | None = None, **settings: Any
    ) -> tuple[list[str], list[str]]:
        service = Service(model or open_model(DEMO["sentiment"]), Limits())
        stderr = Terminal() if terminal else io.StringIO()
        monkeypatch.setattr("sys.stderr", stderr)
        given = ServeSettings(**settings)
        http = None if given.disable_http else bound
        metrics = None if given.metrics_port is None else bound
        announce(service, given, DEVICE, http, 0 if given.disable_grpc else grpc_port, metrics)
        port = str(bound.getsockname()[1])
        log = [message.replace(port, "PORT") for message in caplog.messages]
        return log, stderr.getvalue().replace(port, "PORT").splitlines()

    return say


REQUEST = """curl http://localhost:PORT/predict -H 'Content-Type: application/json' \
-d '{"inputs": ["This product is amazing!"]}'"""


def test_a_person_reads_what_can_be_opened_and_a_request_to_copy(said: Any) -> None:
    log, block = said()
    assert block == [
        "",
        "  page      http://localhost:PORT/",
        "  API docs  http://localhost:PORT/docs",
        "  metrics   http://localhost:PORT/metrics",
        "  MCP       http://localhost:PORT/mcp",
        "  gRPC      localhost:50051",
        "",
        f"  {REQUEST}",
        "",
    ]
    assert log[0] == "model 0.1.0 (sequence_classification) runs on cpu: tests"
    assert log[1:] == ["listening on all interfaces without --api-key", "ready"]


@pytest.mark.parametrize("more", [{"terminal": False}, {"log_format": "json"}], ids=["a file", "JSON"])
def test_a_log_has_all_of_it_in_lines(more: dict[str, Any], said: Any) -> None:
    log, block = said(**more)
    assert block == []
    assert log[1:] == [
        "page on http://localhost:PORT/",
        "API docs on http://localhost:PORT/docs",
        "metrics on http://localhost:PORT/metrics",
        f"try {REQUEST}",
        "HTTP on http://0.0.0.0:PORT",
        "MCP on http://0.0.0.0:PORT/mcp",
        "gRPC on [::]:50051",
        "listening on all interfaces without --api-key",
        "ready",
    ]


def test_where_only_warnings_are_logged_there_is_no_block(said: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    assert said() == (["listening on all interfaces without --api-key"], [])


@pytest.mark.parametrize(
    ("host", "opened"),
    [
        ("0.0.0.0", "localhost"),
        ("[::]", "localhost"),
        ("::", "localhost"),
        ("::1", "[::1]"),
        ("192.0.2.1", "192.0.2.1"),
        ("models.example", "models.example"),
    ],
)
def test_an_address_for_all_of_the_machine_is_one_that_can_be_opened(host: str, opened: str, said: Any) -> None:
    _, block = said(http_hostname=host, grpc_hostname=host)
    assert block[1] == f"  page      http://{opened}:PORT/"
    assert block[5] == f"  gRPC      {opened}:50051"


def test_what_is_not_served_is_not_named(said: Any) -> None:
    _, block = said(disable_ui=True, disable_mcp=True, disable_grpc=True)
    assert block[1:3] == [
        "  API docs  http://localhost:PORT/openapi.json",
        "  metrics   http://localhost:PORT/metrics",
    ]
    assert block[3] == ""


def test_metrics_with_a_port_of_their_own_are_named_once(said: Any) -> None:
    _, block = said(metrics_port=0, metrics_hostname="0.0.0.0", http_hostname="192.0.2.1")
    assert [line for line in block if "/metrics" in line] == ["  metrics   http://localhost:PORT/metrics"]
    log, _ = said(terminal=False, metrics_port=0, metrics_hostname="192.0.2.2")
    assert [line for line in log if "/metrics" in line] == ["Metrics on http://192.0.2.2:PORT/metrics"]


def test_a_key_is_a_variable_of_the_shell(said: Any) -> None:
    _, block = said(api_key="secret")
    assert ' -H "Authorization: Bearer $KEY" ' in block[-2]
    assert "secret" not in "".join(block)


def test_over_tls_addresses_are_https(said: Any, tmp_path: Any) -> None:
    for name in ("cert", "key"):
        (tmp_path / name).touch()
    log, _ = said(terminal=False, cert_file=tmp_path / "cert", key_file=tmp_path / "key")
    assert "page on https://localhost:PORT/" in log
    assert "gRPC on [::]:50051 (TLS)" in log


def test_a_socket_in_the_file_system_is_asked_by_curl(said: Any) -> None:
    _, block = said(http_hostname="unix:/run/a b.sock", grpc_hostname="unix:/run/g.sock", grpc_port=0)
    assert block[1:3] == ["  HTTP      unix:/run/a b.sock", "  gRPC      unix:/run/g.sock"]
    words = shlex.split(block[-2])
    assert words[:4] == ["curl", "--unix-socket", "/run/a b.sock", "http://localhost/predict"]


def test_without_http_grpcurl_asks(said: Any) -> None:
    _, block = said(disable_http=True, api_key="secret")
    words = shlex.split(block[-2])
    assert words[:2] == ["grpcurl", "-plaintext"]
    assert words[-2:] == ["localhost:50051", "encoderfile.SequenceClassification/Predict"]
    assert json.loads(words[words.index("-d") + 1]) == {"inputs": ["This product is amazing!"]}


@pytest.mark.parametrize("folder", FOLDERS.values(), ids=FOLDERS)
def test_what_grpcurl_sends_is_a_message_of_the_service(folder: Path, said: Any) -> None:
    _, block = said(disable_http=True, model=open_model(folder))
    assert json_format.Parse(*message(block)).inputs


def test_a_reranker_is_asked_with_a_pair(said: Any, tmp_path: Path) -> None:
    model = open_model(make_cross_encoder(tmp_path / "cross"))
    _, block = said(disable_http=True, model=model)
    assert len(json_format.Parse(*message(block)).text_pairs) == 1
    _, block = said(model=model)
    (asked,) = json.loads(shlex.split(block[-2])[-1])["inputs"]
    assert asked.keys() == {"text", "text_pair"}


def message(block: list[str]) -> tuple[str, Any]:
    """The body of the request in a block, and an empty message of its type."""
    words = shlex.split(block[-2])
    service = words[-1].removeprefix("encoderfile.").removesuffix("/Predict")
    return words[words.index("-d") + 1], getattr(encoderfile_pb2, f"{service}Request")()


def test_a_name_with_control_characters_does_not_reach_the_terminal(said: Any) -> None:
    _, block = said(http_hostname="unix:/run/\x1b[31m.sock")
    assert "\x1b" not in "".join(block)
