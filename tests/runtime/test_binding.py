"""Addresses: taken, wrong, or the path of a socket."""

import socket
from pathlib import Path

import pytest

from encoderfile.errors import ConfigError
from encoderfile.runtime.binding import bound_http
from encoderfile.settings import ServeSettings


def http_at(path: Path) -> ServeSettings:
    return ServeSettings(http_hostname=f"unix:{path}", disable_grpc=True)


def test_a_free_port_is_taken_and_listens() -> None:
    with bound_http(ServeSettings(http_hostname="127.0.0.1", http_port=0)) as bound, socket.socket() as client:
        client.connect(bound.getsockname())


def test_the_socket_names_its_protocol_so_that_answers_leave_at_once() -> None:
    with bound_http(ServeSettings(http_hostname="127.0.0.1", http_port=0)) as bound:
        assert bound.proto == socket.IPPROTO_TCP


def test_a_taken_port_is_named_with_the_flag_to_change() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with (
            pytest.raises(ConfigError) as refusal,
            bound_http(ServeSettings(http_hostname="127.0.0.1", http_port=port)),
        ):
            pass
    assert str(refusal.value) == (
        f"the HTTP server cannot use 127.0.0.1:{port}: Address already in use; choose another --http-port, "
        "or stop the program that listens there"
    )


def test_an_address_of_another_machine_is_named_with_the_flag_for_addresses() -> None:
    settings = ServeSettings(http_hostname="192.0.2.1", http_port=0)
    with pytest.raises(ConfigError) as refusal, bound_http(settings):
        pass
    assert str(refusal.value) == (
        "the HTTP server cannot use 192.0.2.1:0: Cannot assign requested address, it is not an address of this "
        "machine; choose another --http-hostname, 0.0.0.0 is all of them"
    )


def test_the_flags_are_those_of_the_command_at_hand() -> None:
    settings = ServeSettings(http_hostname="192.0.2.1", http_port=0, http_flags=("--hostname", "--port"))
    with pytest.raises(ConfigError, match="choose another --hostname,"), bound_http(settings):
        pass


def test_a_host_that_is_not_an_address_here_is_named() -> None:
    sentence = "--http-hostname no such host is not an address of this machine"
    with pytest.raises(ConfigError, match=sentence), bound_http(ServeSettings(http_hostname="no such host")):
        pass


def test_a_socket_path_is_listened_on_and_removed_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "http.sock"
    with bound_http(http_at(path)), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
    assert not path.exists()


def test_a_socket_that_nobody_listens_on_any_more_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "http.sock"
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(path))
    with bound_http(http_at(path)), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))


def test_a_socket_another_server_listens_on_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "http.sock"
    with bound_http(http_at(path)):
        with pytest.raises(ConfigError, match="another server listens there"), bound_http(http_at(path)):
            pass
        assert path.exists()


def test_a_file_that_is_not_a_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("mine")
    with pytest.raises(ConfigError, match="exists and is not a socket"), bound_http(http_at(path)):
        pass
    assert path.read_text() == "mine"


def test_a_socket_in_a_folder_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist; make it"), bound_http(http_at(tmp_path / "no" / "s")):
        pass
