"""Taking addresses before the model is loaded: a port that is taken is known at once, and has its sentence."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import ssl
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from encoderfile.errors import ConfigError
from encoderfile.settings import ServeSettings

if TYPE_CHECKING:
    from encoderfile.transports.grpc import GrpcServer

UNIX = "unix:"
"""What a host name begins with that is the path of a socket."""

GRPC_SHARE = 4
"""gRPC's connections for one of HTTP's: its library refuses a new one where HTTP closes an idle one."""

_BACKLOG = 2048


@contextlib.contextmanager
def bound_http(settings: ServeSettings) -> Iterator[socket.socket]:
    """A listening socket for the HTTP server. Raises `ConfigError` for an address that cannot be used."""
    _check_tls(settings)
    host = settings.http_hostname
    host_flag, port_flag = settings.http_flags
    if host.startswith(UNIX):
        with _socket_file(host, host_flag) as path, socket.socket(socket.AF_UNIX) as bound:
            _listen(bound, str(path), host_flag, host_flag)
            yield bound
        return
    try:
        family, kind, protocol, address = _resolved(host, settings.http_port)
    except OSError as error:
        raise ConfigError(f"{host_flag} {host} is not an address of this machine: {error.strerror}") from error
    # With the protocol named, asyncio sets TCP_NODELAY; without it every answer waits 40 ms for an ACK.
    with socket.socket(family, kind, protocol) as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _listen(bound, address, host_flag, port_flag)
        yield bound


_RANDOM = "/dev/urandom"


@contextlib.contextmanager
def bound_grpc(settings: ServeSettings) -> Iterator[tuple[GrpcServer, int]]:
    """A gRPC server that holds its address, and its port (0 for a socket path). Raises `ConfigError`."""
    if not os.access(_RANDOM, os.R_OK):  # the library would end the process
        raise ConfigError(f"gRPC needs {_RANDOM}, which cannot be read here: mount /dev, or give --disable-grpc")
    from encoderfile.transports.grpc import GrpcServer

    _check_tls(settings)
    credentials = None
    if settings.cert_file is not None and settings.key_file is not None:
        credentials = (settings.key_file.read_bytes(), settings.cert_file.read_bytes())
    server = GrpcServer(
        api_key=settings.api_key,
        max_body_bytes=settings.max_body_bytes,
        max_connections=GRPC_SHARE * settings.max_connections,
    )
    host = settings.grpc_hostname
    with contextlib.ExitStack() as stack:
        if host.startswith(UNIX):
            address = f"{UNIX}{stack.enter_context(_socket_file(host, '--grpc-hostname'))}"
        else:
            address = f"{bracketed(host)}:{settings.grpc_port}"
        try:
            port = server.bind(address, credentials)
        except RuntimeError as error:
            raise _no_grpc(address, settings) from error
        yield server, 0 if host.startswith(UNIX) else port


def bracketed(host: str) -> str:
    """An IPv6 address in the brackets that URLs and gRPC ask for; other hosts as they are."""
    return f"[{host}]" if ":" in host and not host.startswith(("[", UNIX)) else host


def _resolved(host: str, port: int) -> tuple[int, int, int, Any]:
    """Family, kind, protocol and address of a socket that listens at `host`. Raises `socket.gaierror`."""
    found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = found[0]
    return family, kind, protocol, address


def _listen(bound: socket.socket, address: Any, host_flag: str, port_flag: str) -> None:
    try:
        bound.bind(address)
        bound.listen(_BACKLOG)
    except OSError as error:
        shown = address if isinstance(address, str) else f"{bracketed(address[0])}:{address[1]}"
        raise ConfigError(f"the HTTP server cannot use {shown}: {_remedy(error, host_flag, port_flag)}") from error


def _remedy(error: OSError, host_flag: str, port_flag: str) -> str:
    """Why an address cannot be used, and the flag that changes what is at fault: the port or the host."""
    reason = error.strerror or str(error)
    if error.errno == errno.EADDRINUSE:
        return f"{reason}; choose another {port_flag}, or stop the program that listens there"
    if error.errno == errno.EACCES:
        return f"{reason}; choose another {port_flag}, ports under 1024 may belong to root alone"
    if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
        return f"{reason}, it is not an address of this machine; choose another {host_flag}, 0.0.0.0 is all of them"
    return f"{reason}; choose another {host_flag}"


def _no_grpc(address: str, settings: ServeSettings) -> ConfigError:
    """What keeps gRPC from an address: its library says only that it failed, so the address is tried once more."""
    host, flags = settings.grpc_hostname, ("--grpc-hostname", "--grpc-port")
    why = f"it is taken or not an address of this machine; choose another {flags[1]} or {flags[0]}"
    if not host.startswith(UNIX):
        try:
            family, kind, _, place = _resolved(host, settings.grpc_port)
            with socket.socket(family, kind) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(place)
                probe.listen(1)
        except socket.gaierror as error:
            return ConfigError(f"{flags[0]} {host} is not an address of this machine: {error.strerror}")
        except OSError as error:
            why = _remedy(error, *flags)
    return ConfigError(f"the gRPC server cannot use {address}: {why}")


@contextlib.contextmanager
def _socket_file(host: str, flag: str) -> Iterator[Path]:
    """The path of a socket: freed of one that nobody listens on, and removed when the block ends."""
    path = Path(host.removeprefix(UNIX)).absolute()
    if path.exists():
        if not stat.S_ISSOCK(path.stat().st_mode):
            raise ConfigError(f"{flag} {host}: {path} exists and is not a socket; choose another path")
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(path)) == 0:
                raise ConfigError(f"{flag} {host}: another server listens there; choose another path")
        path.unlink()
    if not path.parent.is_dir():
        raise ConfigError(f"{flag} {host}: the folder {path.parent} does not exist; make it")
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _check_tls(settings: ServeSettings) -> None:
    if settings.cert_file is None or settings.key_file is None:
        return
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(settings.cert_file, settings.key_file)
    except OSError as error:
        raise ConfigError(
            f"{settings.cert_file} and {settings.key_file} cannot serve TLS ({error.strerror or error}): "
            "give a PEM certificate and its own PEM key"
        ) from error
