"""`grpcio`: the service of another kind of model."""

import json
import os
import sys

import grpc

address, *texts = sys.argv[1:]
sys.path.insert(0, os.environ["PROTOS"])
messages, services = grpc.protos_and_services("encoderfile.proto")

# Setup
stub = services.SentenceEmbeddingStub(grpc.insecure_channel(address))

try:
    stub.Predict(messages.SentenceEmbeddingRequest(inputs=texts))
except grpc.RpcError as error:
    print(json.dumps({"refused": [error.code().name, error.details()]}))
