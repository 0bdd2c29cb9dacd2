"""gRPC's addresses; its server must be made inside an event loop."""

import asyncio
import socket
from pathlib import Path

import pytest

from encoderfile.errors import ConfigError
from encoderfile.runtime.binding import bound_grpc
from encoderfile.settings import ServeSettings


def test_a_taken_port_is_refused_instead_of_shared() -> None:
    async def bind() -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            sentence = (
                f"the gRPC server cannot use 127.0.0.1:{port}: Address already in use; choose another --grpc-port"
            )
            settings = ServeSettings(grpc_hostname="127.0.0.1", grpc_port=port)
            with pytest.raises(ConfigError, match=sentence), bound_grpc(settings):
                pass

    asyncio.run(bind())


def test_an_address_of_another_machine_is_named_with_the_flag_for_addresses() -> None:
    async def bind() -> None:
        sentence = "it is not an address of this machine; choose another --grpc-hostname"
        settings = ServeSettings(grpc_hostname="192.0.2.1", grpc_port=0)
        with pytest.raises(ConfigError, match=sentence), bound_grpc(settings):
            pass

    asyncio.run(bind())


def test_a_socket_path_is_listened_on_and_removed_at_the_end(tmp_path: Path) -> None:
    async def bind() -> None:
        path = tmp_path / "grpc.sock"
        with bound_grpc(ServeSettings(grpc_hostname=f"unix:{path}")) as (server, port):
            assert path.is_socket()
            assert port == 0
            await server.stop(0)
        assert not path.exists()

    asyncio.run(bind())
