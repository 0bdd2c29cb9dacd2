"""Asks a built file over gRPC, with stubs made from the project's proto files.

    python -m pip install grpcio-tools
    python -m grpc_tools.protoc -Iproto --python_out=examples/clients/python \
        --grpc_python_out=examples/clients/python encoderfile.proto token.proto
    python grpc_client.py localhost:50051 SERVICE TEXT...
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import encoderfile_pb2 as pb
import encoderfile_pb2_grpc as rpc
import grpc
from google.protobuf.json_format import MessageToDict
from show import show

SERVICES: dict[str, Any] = {
    "Embedding": (rpc.EmbeddingStub, lambda texts: pb.EmbeddingRequest(inputs=texts, normalize=True)),
    "SentenceEmbedding": (rpc.SentenceEmbeddingStub, lambda texts: pb.SentenceEmbeddingRequest(inputs=texts)),
    "SequenceClassification": (
        rpc.SequenceClassificationStub,
        lambda texts: pb.SequenceClassificationRequest(inputs=texts),
    ),
    "TokenClassification": (
        rpc.TokenClassificationStub,
        lambda texts: pb.TokenClassificationRequest(inputs=texts),
    ),
}
"""The stub and the request of each service; a built file has the one of its model type."""


def predict(target: str, service: str, texts: list[str]) -> Any:
    """The response as the dictionary that HTTP would give."""
    stub, request = SERVICES[service]
    with grpc.insecure_channel(target) as channel:
        response = stub(channel).Predict(request(texts))
    return MessageToDict(response, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)


def main() -> None:
    """Prints the answer; a refusal is its status and one sentence."""
    parser = argparse.ArgumentParser(description="Ask a built file over gRPC.")
    parser.add_argument("target", metavar="TARGET", help="such as localhost:50051")
    parser.add_argument("service", choices=SERVICES)
    parser.add_argument("texts", nargs="+", metavar="TEXT")
    options = parser.parse_args()
    try:
        show(options.texts, predict(options.target, options.service, options.texts))
    except grpc.RpcError as error:
        sys.exit(f"{error.code().name}: {error.details()}")


if __name__ == "__main__":
    main()
