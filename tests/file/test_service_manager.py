"""Socket paths, and what a service manager is told."""

import socket
from pathlib import Path

import grpc
import httpx

from encoderfile.transports._pb import encoderfile_pb2, encoderfile_pb2_grpc
from support.files import PATIENCE, BuiltFile


def test_a_server_on_socket_paths_answers_there_and_tells_systemd(sentiment: BuiltFile, tmp_path: Path) -> None:
    http, rpc, notified = tmp_path / "http.sock", tmp_path / "grpc.sock", tmp_path / "notify.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(PATIENCE)
        manager.bind(str(notified))
        places = ("--http-hostname", f"unix:{http}", "--grpc-hostname", f"unix:{rpc}")
        with sentiment.serve(*places, env={"NOTIFY_SOCKET": str(notified)}) as server:
            assert manager.recv(100) == b"READY=1"
            with httpx.Client(transport=httpx.HTTPTransport(uds=str(http))) as client:
                answer = client.post("http://localhost/predict", json={"inputs": ["What a wonderful film!"]}).json()
            with grpc.insecure_channel(f"unix:{rpc}") as channel:
                stub = encoderfile_pb2_grpc.SequenceClassificationStub(channel)
                other = stub.Predict(encoderfile_pb2.SequenceClassificationRequest(inputs=["What a wonderful film!"]))
            assert answer["results"][0]["predicted_label"] == other.results[0].predicted_label == "POSITIVE"
            assert server.end() == 0
            assert manager.recv(100) == b"STOPPING=1"
    assert not http.exists()
    assert not rpc.exists()
