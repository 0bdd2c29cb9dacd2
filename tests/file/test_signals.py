"""Ends: SIGTERM and Ctrl-C answer what was accepted and exit 0; nothing outlives a killed server."""

import json
import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from support.files import PATIENCE, BuiltFile, Server

BIG = ["a text that takes a while " * 8] * 300


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_server_ends_with_0(number: signal.Signals, sentiment: BuiltFile) -> None:
    with sentiment.serve() as server:
        assert server.end(number) == 0
        assert server.log[-1].endswith("stopped")


@pytest.mark.proves("ENC Beyond the page", "A full queue, a server that stops")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("way", ["http", "grpc", "mcp"])
def test_what_was_accepted_is_answered(way: str, number: signal.Signals, sentiment: BuiltFile, clients: Any) -> None:
    with sentiment.serve() as server:
        client = clients(way, server, "sentiment")
        client.predict(["the connection stands"])
        accepted = client.start(BIG)
        # Answered in turn with the big one, so the big one was accepted before.
        clients("http", server, "sentiment").predict(["small"])
        assert server.end(number) == 0
        assert len(accepted.result(PATIENCE).results) == len(BIG)


def test_who_watches_its_health_does_not_hold_up_the_end(sentiment: BuiltFile) -> None:
    """Nobody waits for the drain time: it is longer than this test's patience."""
    with sentiment.serve("--drain-seconds", "600") as server, grpc.insecure_channel(server.grpc) as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        assert server.end() == 0
        assert next(watch).status == health_pb2.HealthCheckResponse.NOT_SERVING
        with pytest.raises(grpc.RpcError) as ended:
            next(watch)
        assert ended.value.code() is grpc.StatusCode.UNAVAILABLE


def test_the_port_is_free_again_at_once(sentiment: BuiltFile) -> None:
    with sentiment.serve() as server:
        port = int(server.url.rpartition(":")[2])
        with httpx.Client() as client:
            assert client.get(f"{server.url}/health").status_code == 200
            assert server.end() == 0
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_what_is_not_answered_in_time_is_given_up_with_exit_code_1(sentiment: BuiltFile, clients: Any) -> None:
    with sentiment.serve("--drain-seconds", "0") as server:
        client = clients("grpc", server, "sentiment")
        client.predict(["the connection stands"])
        accepted = client.start(BIG * 10)
        clients("http", server, "sentiment").predict(["small"])
        assert server.end() == 1
        assert "ERROR not everything was answered within 0.0 seconds" in server.text
        assert accepted.exception(PATIENCE) is not None


def test_the_process_that_was_started_is_the_server_and_has_no_children(sentiment: BuiltFile) -> None:
    with sentiment.serve() as server:
        assert children(server.process.pid) == []


def children(parent: int) -> list[str]:
    """The processes that `parent` started and that still live."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:  # it ended meanwhile
            continue
        if int(text.rpartition(")")[2].split()[1]) == parent:
            found.append(text)
    return found


def test_nothing_is_left_of_a_server_that_was_killed(sentiment: BuiltFile) -> None:
    with sentiment.serve() as server:
        url = server.url
        assert server.end(signal.SIGKILL) == -signal.SIGKILL
        with pytest.raises(httpx.ConnectError), httpx.Client() as client:
            client.get(f"{url}/health")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_one_shot_command_that_is_stopped_ends_with_the_code_of_the_signal(
    number: signal.Signals, code: int, sentiment: BuiltFile, tmp_path: Path
) -> None:
    texts = tmp_path / "texts"
    os.mkfifo(texts)
    process = subprocess.Popen(
        [sentiment.path, "infer", "-i", texts],
        env=sentiment.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    # Opening blocks until the command reads, so by then it is at work.
    with process, texts.open("w"):
        process.send_signal(number)
        output, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, output) == (code, "")
    assert "Traceback" not in errors


SOON = 30
"""Seconds in which a process with a drain time of one has ended, also on a machine that is very busy."""


def ended_soon(server: Server) -> int:
    server.process.send_signal(signal.SIGTERM)
    return server.process.wait(SOON)


def posted(server: Server, body: bytes, whole: bool = True) -> socket.socket:
    """A client who has sent a request, or all of it but a byte, and waits."""
    client = socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])))
    head = (
        b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    )
    client.sendall(head % len(body) + (body if whole else body[:-1]))
    return client


def test_a_run_that_takes_long_does_not_hold_up_the_end(sentiment: BuiltFile) -> None:
    endless = json.dumps({"inputs": ["a text that takes a while " * 60] * 400}).encode()
    flags = ("--drain-seconds", "0.1", "--max-batch-tokens", "100000000", "--max-body-bytes", "100000000")
    with sentiment.serve(*flags) as server, posted(server, endless), httpx.Client(base_url=server.url) as client:
        while "sie_batch_size_count 1" not in client.get("/metrics").text.replace('{model="sentiment"}', ""):
            pass  # the run has not begun
        assert ended_soon(server) == 1
        assert "ERROR not everything was answered within 0.1 seconds" in server.text


def test_a_body_that_is_still_coming_is_refused_and_not_waited_for(sentiment: BuiltFile) -> None:
    with sentiment.serve() as server, posted(server, b'{"inputs": ["text"]}', whole=False) as client:
        assert httpx.get(f"{server.url}/health").status_code == 200
        assert server.end() == 0
        said = client.recv(1 << 16)
    assert said.startswith(b"HTTP/1.1 503")
    assert said.endswith(b"the server is stopping and takes no new requests")


def test_a_server_that_is_still_loading_ends_at_once(sentiment: BuiltFile) -> None:
    process = subprocess.Popen(
        [sentiment.path, "serve", "--http-port", "0", "--grpc-port", "0"],
        env=sentiment.environment(),
        stderr=subprocess.PIPE,
    )
    with process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(SOON) in (0, -signal.SIGTERM)
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()
