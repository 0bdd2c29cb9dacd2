"""`serve` with settings that cannot be followed: one sentence on stderr, exit 1, no server."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.files import BuiltFile, sentence

FREE = ("--http-port", "0", "--grpc-port", "0", "--http-hostname", "127.0.0.1", "--grpc-hostname", "127.0.0.1")


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which somebody else listens."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


def test_a_taken_http_port_is_named(taken: int, sentiment: BuiltFile) -> None:
    reason = sentence(sentiment.run("serve", *FREE, "--http-port", str(taken)))
    assert reason == (
        f"the HTTP server cannot use 127.0.0.1:{taken}: Address already in use; choose another --http-port, "
        "or stop the program that listens there"
    )


def test_a_taken_grpc_port_is_named(taken: int, sentiment: BuiltFile) -> None:
    reason = sentence(sentiment.run("serve", *FREE, "--grpc-port", str(taken)))
    assert reason.startswith(f"the gRPC server cannot use 127.0.0.1:{taken}: ")


def test_a_port_taken_by_another_file_is_taken(sentiment: BuiltFile, served: object) -> None:
    server = served["sentiment"]  # type: ignore[index]
    http = server.url.rpartition(":")[2]
    assert f"cannot use 127.0.0.1:{http}" in sentence(sentiment.run("serve", *FREE, "--http-port", http))
    grpc = server.grpc.rpartition(":")[2]
    assert f"cannot use 127.0.0.1:{grpc}" in sentence(sentiment.run("serve", *FREE, "--grpc-port", grpc))


def test_a_port_of_mcp_alone_that_is_taken_is_named_by_its_flag(taken: int, sentiment: BuiltFile) -> None:
    reason = sentence(sentiment.run("mcp", "--transport", "http", "--port", str(taken)))
    assert reason.startswith(f"the HTTP server cannot use 127.0.0.1:{taken}: Address already in use")


@pytest.mark.parametrize("flag", ["--http-hostname", "--grpc-hostname"])
def test_an_address_that_is_not_this_machines_is_named(flag: str, sentiment: BuiltFile) -> None:
    reason = sentence(sentiment.run("serve", *FREE, flag, "192.0.2.1"))
    assert "192.0.2.1" in reason


def test_both_servers_off_leave_nothing_to_serve(sentiment: BuiltFile) -> None:
    reason = sentence(sentiment.run("serve", "--disable-http", "--disable-grpc"))
    assert reason == "--disable-http and --disable-grpc together leave nothing to serve: leave one out"


@pytest.mark.parametrize(("given", "missing"), [("--cert-file", "--key-file"), ("--key-file", "--cert-file")])
def test_half_a_pair_for_tls_names_the_other_half(
    given: str, missing: str, sentiment: BuiltFile, tmp_path: Path
) -> None:
    (tmp_path / "half.pem").touch()
    reason = sentence(sentiment.run("serve", *FREE, given, tmp_path / "half.pem"))
    assert reason == f"{given} is given without {missing}: TLS needs both"


def test_a_certificate_that_is_not_there_is_named(sentiment: BuiltFile, tmp_path: Path) -> None:
    files = ("--cert-file", tmp_path / "cert.pem", "--key-file", tmp_path / "key.pem")
    assert str(tmp_path / "cert.pem") in sentence(sentiment.run("serve", *FREE, *files))


@pytest.mark.parametrize(
    "flags",
    [FREE, ("--disable-http", "--grpc-port", "0"), ("--disable-grpc", "--http-port", "0")],
    ids=["both", "gRPC", "HTTP"],
)
def test_a_file_that_is_not_a_certificate_is_named(
    flags: tuple[str, ...], sentiment: BuiltFile, tmp_path: Path
) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    for file in (cert, key):
        file.write_text("-----BEGIN NOTHING-----\n")
    reason = sentence(sentiment.run("serve", *flags, "--cert-file", cert, "--key-file", key))
    assert reason.startswith(f"{cert} and {key} cannot serve TLS")


def test_an_empty_key_is_refused(sentiment: BuiltFile) -> None:
    assert sentence(sentiment.run("serve", *FREE, "--api-key", " ")) == (
        "--api-key is empty: give a key or leave it out"
    )


def test_a_device_that_is_not_there_is_said(sentiment: BuiltFile) -> None:
    reason = sentence(sentiment.run("infer", "--device", "cuda", "--device-id", "99", "hello"))
    assert reason.startswith("--device cuda cannot be used: ")


def test_a_key_variable_that_is_empty_is_refused(sentiment: BuiltFile) -> None:
    reason = sentence(sentiment.run("serve", env={"ENCODERFILE_API_KEY": ""}))
    assert reason == "ENCODERFILE_API_KEY is empty: give a key or unset it"
