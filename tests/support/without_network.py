"""Run in a network namespace: serves a file on its loopback, asks over every protocol and prints the answers."""

import fcntl
import json
import socket
import struct
import sys
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from anyio.from_thread import start_blocking_portal

from support.clients import grpc_client, http_client, mcp_client
from support.files import BuiltFile

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1


def bring_up(interface: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", interface, 0)
        (flags,) = struct.unpack_from("h", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request), 16)
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", interface, flags | IFF_UP))


def main(file: BuiltFile) -> None:
    bring_up(b"lo")
    answers = {}
    with ExitStack() as stack:
        portal = stack.enter_context(start_blocking_portal())
        server = stack.enter_context(file.serve())
        ways = {
            "http": http_client(portal, server.url),
            "grpc": grpc_client(portal, server.grpc, "sequence_classification"),
            "mcp": mcp_client(portal, f"{server.url}/mcp"),
        }
        for way, opening in ways.items():
            with portal.wrap_async_context_manager(opening) as client:
                (result,) = client.predict(["What a wonderful film!"]).results
                answers[way] = result["predicted_label"]
        code = server.end()
    interfaces = [name for _, name in socket.if_nameindex()]
    sys.stdout.write(json.dumps({"interfaces": interfaces, "answers": answers, "exit": code}))


if __name__ == "__main__":
    main(BuiltFile(Path(sys.argv[1]), Path(sys.argv[2])))
