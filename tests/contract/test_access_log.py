"""The access log: a line for each request, however it ended, in every protocol; never a text, a key or a query."""

import json
import logging
import socket
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from encoderfile.runtime import logs
from encoderfile.service import access_log
from encoderfile.service.ended import Ended
from encoderfile.service.work import Work
from support.servers import Servers
from support.sockets import watching

SECRET = "a text that nobody else should read"
FORGED = "/a\n2026 INFO forged\x1b[31m\u202e"


class Lines(logging.Handler):
    """What the log wrote, as JSON."""

    def __init__(self) -> None:
        super().__init__()
        self.formatted: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.formatted.append(access_log.JsonFormatter().format(record))

    @property
    def entries(self) -> list[dict[str, Any]]:
        return [json.loads(each) for each in self.formatted]

    def the(self, **wanted: Any) -> dict[str, Any]:
        (found,) = (each for each in self.entries if wanted.items() <= each.items())
        return found


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler, level = Lines(), access_log.log.level
    access_log.log.addHandler(handler)
    access_log.log.setLevel(logging.INFO)
    yield handler
    access_log.log.removeHandler(handler)
    access_log.log.setLevel(level)


def test_a_request_has_its_line(servers: Servers, lines: Lines) -> None:
    client = servers.shared("http", "sentiment")
    response = client.request(
        "POST", "/predict?key=hidden", json={"inputs": [SECRET, "b"]}, headers={"user-agent": "tests/1"}
    )
    line = lines.the(path="/predict")
    assert (line["protocol"], line["method"], line["route"], line["status"]) == ("http", "POST", "/predict", 200)
    assert (line["texts"], line["bytes"]) == (2, len(response.content))
    assert line["tokens"] > 4
    assert line["ms"] >= line["inference_ms"] > 0
    assert line["trace_id"] == response.headers["x-trace-id"]
    assert line["client"].startswith("127.0.0.1:")
    assert line["user_agent"] == "tests/1"


def test_no_text_no_key_and_no_query_is_in_it(own: Servers, lines: Lines) -> None:
    client = own.client("http", "sentiment", api_key="the-key")
    for key in ("the-key", "another-key"):
        client.request(
            "POST",
            "/predict?token=hidden",
            json={"inputs": [SECRET]},
            headers={"authorization": f"Bearer {key}"},
        )
    assert [each["status"] for each in lines.entries] == [200, 401]
    for word in (SECRET, "key", "hidden"):
        assert word not in "".join(lines.formatted)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "route"),
    [
        ("GET", "/nothing", None, 404, ""),
        ("DELETE", "/predict", None, 405, "/predict"),
        ("POST", "/predict", "no JSON", 422, "/predict"),
        ("GET", "/v1/models/another", None, 404, "/v1/models/{model}"),
        ("POST", "/predict", "x" * 2000, 413, "/predict"),
    ],
    ids=["unknown route", "wrong method", "wrong body", "unknown model", "too large"],
)
def test_a_refusal_has_its_line(
    method: str, path: str, body: str | None, status: int, route: str, module_servers: Servers, lines: Lines
) -> None:
    client = module_servers.client("http", "sentiment", max_body_bytes=1000)
    client.request(method, path, content=body, headers={"content-type": "application/json"})
    line = lines.the(path=path)
    assert (line["status"], line["route"], line["texts"]) == (status, route, 0)


def sent(client: Any, data: bytes) -> None:
    host, port = client.http.base_url.host, client.http.base_url.port
    with socket.create_connection((host, port), timeout=30) as connection:
        connection.sendall(data)
        while connection.recv(4096):
            pass


def test_what_is_no_http_has_its_line(servers: Servers, lines: Lines) -> None:
    sent(servers.shared("http", "sentiment"), b"\x16\x03\x01 this is TLS\r\n\r\n")
    assert lines.the(method="-")["status"] == 400


def test_a_body_that_is_no_http_has_one_line_with_what_its_client_was_told(servers: Servers, lines: Lines) -> None:
    client = servers.shared("http", "sentiment")
    head = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    sent(client, head + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n")
    client.get("/model")
    assert [(each["path"], each["status"]) for each in lines.entries] == [("/predict", 400), ("/model", 200)]


def test_a_client_cannot_write_lines_of_its_own(servers: Servers, lines: Lines) -> None:
    sent(
        servers.shared("http", "sentiment"),
        b"GET /a%0A2026%20INFO%20forged%1B[31m%E2%80%AE HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    )
    assert lines.the(status=404)["path"] == FORGED
    record = logging.makeLogRecord(
        {
            "ended": Ended(
                protocol="http",
                method="GET",
                route="",
                path=FORGED,
                status="404",
                seconds=0.1,
                client="127.0.0.1:1",
            ),
            "work": Work(),
        }
    )
    line = access_log.TextFormatter().format(record)
    assert line.isprintable()
    assert "GET /a%0A2026%20INFO%20forged%1B[31m%E2%80%AE 404 100.0 ms" in line


def test_a_path_without_end_is_cut(servers: Servers, lines: Lines) -> None:
    servers.shared("http", "sentiment").get(f"/{'a' * 5000}")
    assert len(lines.the(status=404)["path"]) <= 500


def test_health_checks_that_succeed_are_left_out(servers: Servers, lines: Lines) -> None:
    client = servers.shared("http", "sentiment")
    for path in ("/health", "/healthz", "/livez", "/readyz"):
        client.get(path)
    client.get("/model")
    assert [each["path"] for each in lines.entries] == ["/model"]
    access_log.log.setLevel(logging.DEBUG)
    client.get("/healthz")
    assert lines.the(path="/healthz")["status"] == 200


def test_a_message_of_mcp_has_its_texts(servers: Servers, lines: Lines) -> None:
    servers.shared("mcp", "sentiment").predict(["a", "b"])
    assert 2 in [each["texts"] for each in lines.entries if each["route"] == "/mcp"]


def test_a_watcher_of_the_status_has_a_line_when_it_leaves(servers: Servers, lines: Lines) -> None:
    client = servers.shared("http", "sentiment")

    async def watch() -> None:
        async with watching(str(client.http.base_url)) as watcher:
            await watcher.frame()

    client.portal.call(watch)
    client.get("/model")  # the line is written once the server has seen that the watcher is gone
    for _ in range(100):
        if any(each["protocol"] == "websocket" for each in lines.entries):
            break
        client.get("/model")
    line = lines.the(protocol="websocket")
    assert (line["path"], line["status"]) == ("/ws/status", 101)


def test_a_call_over_grpc_has_its_line(servers: Servers, lines: Lines) -> None:
    servers.shared("grpc", "sentiment").predict(["a", "b"])
    line = lines.the(protocol="grpc")
    assert line["route"] == line["path"] == "encoderfile.SequenceClassification/Predict"
    assert (line["status"], line["texts"]) == ("OK", 2)
    assert line["client"].startswith(("127.0.0.1:", "[::1]:"))


def test_a_refused_call_over_grpc_has_its_line(own: Servers, lines: Lines) -> None:
    client = own.client("grpc", "sentiment")
    with pytest.raises(Exception, match="at least one"):
        client.predict([])
    assert lines.the(protocol="grpc")["status"] == grpc.StatusCode.INVALID_ARGUMENT.name


def test_it_is_off_unless_asked_for(servers: Servers, capsys: pytest.CaptureFixture[str]) -> None:
    assert not access_log.is_on()
    servers.shared("http", "sentiment").get("/nothing")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("form", ["text", "json"])
def test_its_form_is_apart_from_that_of_the_log(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = access_log.log.level, access_log.log.handlers, access_log.log.propagate
    try:
        logs.set_up("json" if form == "text" else "text", "info", form)
        access_log.write(
            Ended(protocol="http", method="GET", route="", path="/x", status="404", seconds=0.0, client="")
        )
        logging.getLogger("encoderfile").info("a line of the log")
    finally:
        access_log.log.setLevel(before[0])
        access_log.log.handlers, access_log.log.propagate = before[1:]
        logging.basicConfig(force=True, level="WARNING")
    access, log = capsys.readouterr().err.splitlines()
    assert access.startswith("{") == (form == "json")
    assert log.startswith("{") == (form == "text")
