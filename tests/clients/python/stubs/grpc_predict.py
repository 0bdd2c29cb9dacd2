"""`grpcio`: the service by the stubs of proto/, and by what the file says of itself; health."""

import json
import os
import sys

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

address, *texts = sys.argv[1:]
sys.path.insert(0, os.environ["PROTOS"])
messages, services = grpc.protos_and_services("encoderfile.proto")

# Setup
channel = grpc.insecure_channel(address)
stub = services.SentenceEmbeddingStub(channel)

answer = stub.Predict(messages.SentenceEmbeddingRequest(inputs=texts))
print(json.dumps({"vectors": [list(each.embedding) for each in answer.results]}))

health = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
assert health.status == health_pb2.HealthCheckResponse.SERVING

described = ProtoReflectionDescriptorDatabase(channel)
assert "encoderfile.SentenceEmbedding" in described.get_services()
method = DescriptorPool(described).FindServiceByName("encoderfile.SentenceEmbedding").FindMethodByName("Predict")
call = channel.unary_unary(
    "/encoderfile.SentenceEmbedding/Predict",
    request_serializer=lambda message: message.SerializeToString(),
    response_deserializer=GetMessageClass(method.output_type).FromString,
)
answer = call(GetMessageClass(method.input_type)(inputs=texts))
print(json.dumps({"vectors": [list(each.embedding) for each in answer.results]}))
