"""`health` asks a running server whether it is ready, as the health check of a container does."""

import contextlib
import socket
import subprocess
import threading
from pathlib import Path

import httpx
import pytest

from support.files import PATIENCE, BuiltFile, Server, sentence
from support.tls import make_pair

OFF = {"http": ("--disable-grpc",), "grpc": ("--disable-http",)}
ways = pytest.mark.parametrize("way", list(OFF))


def address(way: str, server: Server) -> tuple[str, ...]:
    """The options of `health` for a server on the port that the kernel chose."""
    host, port = (server.url.rpartition("/")[2] if way == "http" else server.grpc.split(" ")[0]).rsplit(":", 1)
    return (f"--{way}-hostname", host, f"--{way}-port", port, *(("--disable-http",) if way == "grpc" else ()))


@ways
def test_a_ready_server_is_healthy_with_a_key_too(way: str, sentiment: BuiltFile) -> None:
    with sentiment.serve(*OFF[way], "--api-key", "secret") as server:
        done = sentiment.run("health", *address(way, server))
    assert (done.returncode, done.stdout) == (0, "ready\n"), done.stderr


@ways
def test_a_server_with_tls_is_asked_with_its_certificate(way: str, sentiment: BuiltFile, tmp_path: Path) -> None:
    pair, other = make_pair(tmp_path, "own"), make_pair(tmp_path, "other")
    with sentiment.serve(*OFF[way], *pair.flags) as server:
        done = sentiment.run("health", *address(way, server), *pair.flags)
        wrong = sentiment.run("health", *address(way, server), *other.flags)
        plain = sentiment.run("health", *address(way, server))
    assert done.returncode == 0, done.stderr
    assert wrong.returncode == 1
    assert plain.returncode == 1
    assert sentence(wrong).startswith("not ready: 127.0.0.1:")


@ways
def test_a_server_on_a_socket_path_is_asked_there(way: str, sentiment: BuiltFile, tmp_path: Path) -> None:
    place = (f"--{way}-hostname", f"unix:{tmp_path / 'socket'}")
    with sentiment.serve(*OFF[way], *place):
        done = sentiment.run("health", *place, *(["--disable-http"] if way == "grpc" else []))
    assert done.returncode == 0, done.stderr


@ways
def test_where_nobody_listens_nothing_is_healthy(way: str, sentiment: BuiltFile, tmp_path: Path) -> None:
    place = f"unix:{tmp_path / 'nobody'}"
    done = sentiment.run("health", f"--{way}-hostname", place, *(["--disable-http"] if way == "grpc" else []))
    assert done.returncode == 1
    assert sentence(done).startswith(f"not ready: {place} does not answer: ")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\nstopping", "not ready: stopping"),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "not ready: HTTP/1.1 404 Not Found"),
        (b"SSH-2.0-OpenSSH\r\n", "does not answer as HTTP does"),
        (b"", "does not answer as HTTP does"),
    ],
    ids=["503", "404", "another protocol", "nothing"],
)
def test_what_is_not_a_200_is_not_healthy(answer: bytes, says: str, sentiment: BuiltFile, tmp_path: Path) -> None:
    place = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
        other.bind(str(place))
        other.listen()
        other.settimeout(PATIENCE)
        command = [str(sentiment.path), "health", "--http-hostname", f"unix:{place}", "--timeout", str(PATIENCE)]
        asking = subprocess.Popen(command, env=sentiment.environment(), stderr=subprocess.PIPE, text=True)
        connection, _ = other.accept()
        with connection:
            connection.recv(1000)
            connection.sendall(answer)
        _, stderr = asking.communicate(timeout=PATIENCE)
    assert asking.returncode == 1
    assert says in stderr


def test_a_server_that_says_nothing_is_not_healthy(sentiment: BuiltFile, tmp_path: Path) -> None:
    place = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
        other.bind(str(place))
        other.listen()
        done = sentiment.run("health", "--http-hostname", f"unix:{place}", "--timeout", "0.1")
    assert done.returncode == 1
    assert sentence(done) == f"not ready: unix:{place} does not answer: timed out"


def test_an_answer_that_comes_drop_by_drop_is_not_waited_for(sentiment: BuiltFile, tmp_path: Path) -> None:
    place, over = tmp_path / "socket", threading.Event()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
        other.bind(str(place))
        other.listen()

        def drip() -> None:
            connection, _ = other.accept()
            with connection, contextlib.suppress(OSError):
                while not over.wait(0.02):
                    connection.sendall(b"a")

        dripping = threading.Thread(target=drip)
        dripping.start()
        done = sentiment.run("health", "--http-hostname", f"unix:{place}", "--timeout", "0.3")
        over.set()
        dripping.join()
    assert sentence(done) == f"not ready: unix:{place} does not answer: timed out"


def test_the_settings_of_the_server_in_the_environment_are_those_of_its_health(
    sentiment: BuiltFile, tmp_path: Path
) -> None:
    variables = {"ENCODERFILE_HTTP_HOSTNAME": f"unix:{tmp_path / 'socket'}", "ENCODERFILE_DISABLE_GRPC": "1"}
    with sentiment.serve("--disable-grpc", "--http-hostname", variables["ENCODERFILE_HTTP_HOSTNAME"]):
        assert sentiment.run("health", env=variables).returncode == 0


def test_a_key_in_a_file_is_asked_for(sentiment: BuiltFile, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("secret\n")
    with sentiment.serve("--disable-grpc", "--api-key-file", key) as server:
        answers = [
            httpx.get(f"{server.url}/model", headers=each).status_code
            for each in ({}, {"authorization": "Bearer secret"})
        ]
    assert answers == [401, 200]
