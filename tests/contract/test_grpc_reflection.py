"""gRPC reflection: a client that knows nothing of us, such as grpcurl, can list, describe and call."""

from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from grpc_reflection.v1alpha import reflection_pb2 as r

from support.clients import GrpcClient
from support.model_types import OF_EACH_TYPE, id_of, needed_by, service_of, task_of
from support.servers import Servers

OF_V07 = ("embedding", "sentence_embedding", "sequence_classification", "token_classification")
"""The model types that v0.7.0 had, whose services answer under their old names too."""
VERSIONS = ["v1alpha", "v1"]
COMMON = {"grpc.health.v1.Health", *(f"grpc.reflection.{version}.ServerReflection" for version in VERSIONS)}


class Stranger:
    """A client made of nothing but what reflection tells."""

    def __init__(self, client: GrpcClient, version: str) -> None:
        self._client = client
        # Both versions have the same messages.
        self._reflect = client.channel.stream_stream(
            f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
            request_serializer=r.ServerReflectionRequest.SerializeToString,
            response_deserializer=r.ServerReflectionResponse.FromString,
        )
        self.pool = descriptor_pool.DescriptorPool()

    def ask(self, **question: str) -> Any:
        (answer,) = self._client.stream(self._reflect, [r.ServerReflectionRequest(**question)])
        return answer

    def services(self) -> set[str]:
        return {each.name for each in self.ask(list_services="").list_services_response.service}

    def learn(self, symbol: str) -> None:
        """Adds the file of `symbol`, and those it imports, to the pool."""
        answer = self.ask(file_containing_symbol=symbol)
        assert not answer.HasField("error_response"), answer
        files = [
            descriptor_pb2.FileDescriptorProto.FromString(each)
            for each in answer.file_descriptor_response.file_descriptor_proto
        ]
        for file in [*files, *self._imports(files)][::-1]:
            self.pool.Add(file)

    def _imports(self, files: list[Any]) -> Iterator[Any]:
        seen = {file.name for file in files}
        todo = [name for file in files for name in file.dependency]
        while todo:
            name = todo.pop(0)
            if name in seen:
                continue
            seen.add(name)
            answer = self.ask(file_by_filename=name)
            for data in answer.file_descriptor_response.file_descriptor_proto:
                file = descriptor_pb2.FileDescriptorProto.FromString(data)
                todo += file.dependency
                yield file

    def call(self, service: str, **request: Any) -> Any:
        """`Predict` of a service, with messages made from the pool."""
        method = self.pool.FindServiceByName(service).methods_by_name["Predict"]
        ask, answer = (message_factory.GetMessageClass(each) for each in (method.input_type, method.output_type))
        call = self._client.channel.unary_unary(
            f"/{service}/Predict", request_serializer=ask.SerializeToString, response_deserializer=answer.FromString
        )
        return self._client.call(call, ask(**request))


def services_of(name: str) -> set[str]:
    """What is served for a model, beside what all have."""
    service, model_type = service_of(name), task_of(name).name
    old = {f"encoderfile.{model_type}.{service}Inference"} if model_type in OF_V07 else set()
    return {f"encoderfile.{service}"} | old


@pytest.fixture(params=OF_EACH_TYPE)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=VERSIONS)
def stranger(request: pytest.FixtureRequest, name: str, servers: Servers) -> Stranger:
    return Stranger(servers.shared("grpc", name), request.param)


@pytest.mark.proves(
    "ENC Overview",
    "The model type decides which there are: `embedding`, `sequence_classification`, `token_classification`",
)
@pytest.mark.proves(
    "ENC gRPC",
    "Three services, by model type",
    here="`SentenceEmbedding` is a fourth, and the names of v0.7.0 answer too.",
)
@pytest.mark.proves(
    "ENC gRPC",
    "`Embedding`, `SequenceClassification` and `TokenClassification` of package `encoderfile` have `Predict`",
)
def test_the_services_of_this_model_type_are_listed_and_no_others(name: str, stranger: Stranger) -> None:
    assert stranger.services() == services_of(name) | COMMON


@pytest.mark.proves("ENC gRPC", "The grpcurl examples, for every service")
def test_every_listed_service_can_be_described(stranger: Stranger) -> None:
    for service in stranger.services():
        assert not stranger.ask(file_containing_symbol=service).HasField("error_response"), service


def test_every_method_and_message_can_be_described_by_its_name(stranger: Stranger) -> None:
    """As `grpcurl describe` asks for them."""
    known = descriptor_pool.Default()
    for service in stranger.services():
        for method in known.FindServiceByName(service).methods:
            for symbol in (method.full_name, method.input_type.full_name, method.output_type.full_name):
                assert not stranger.ask(file_containing_symbol=symbol).HasField("error_response"), symbol
    assert stranger.ask(file_containing_symbol="encoderfile.Nothing.Predict").HasField("error_response")


@pytest.mark.proves(
    "ENC gRPC",
    "Over HTTP/2",
    "`Embedding`, `SequenceClassification` and `TokenClassification` of package `encoderfile` have `Predict`",
    "`predicted_label` is optional in the message",
)
def test_a_client_made_from_the_descriptors_is_answered(name: str, stranger: Stranger) -> None:
    for service in sorted(services_of(name)):
        stranger.pool = descriptor_pool.DescriptorPool()
        stranger.learn(service)
        needed = needed_by(task_of(name))
        answer = stranger.call(service, inputs=["hello", "world"], metadata={"k": "v"}, **needed)
        assert (len(answer.results), answer.model_id, dict(answer.metadata)) == (2, id_of(name), {"k": "v"})


@pytest.mark.proves("ENC gRPC", "`GetModelMetadataResponse`: `model_id` = 1, `model_type` = 2, `id2label` = 3")
@pytest.mark.proves(
    "ENC gRPC",
    "The fields of requests and answers have the names and numbers printed, down to `TokenInfo`",
    here="The message `TokenClassification` is nested: a service has its name. The wire is the same.",
)
def test_the_fields_have_the_numbers_of_the_api_page(stranger: Stranger, name: str) -> None:
    service = f"encoderfile.{service_of(name)}"
    stranger.learn(service)
    numbers = {
        message.full_name.removeprefix("encoderfile."): {field.name: field.number for field in message.fields}
        for message in messages(stranger.pool.FindServiceByName(service))
    }
    for message, fields in numbers.items():
        of_the_page = FIELDS[message]
        assert {field: number for field, number in fields.items() if field in of_the_page} == of_the_page, message
        ours = [number for field, number in fields.items() if field not in of_the_page]
        assert all(number > max(of_the_page.values()) for number in ours), message


def messages(service: Any) -> Iterator[Any]:
    todo = [each for method in service.methods for each in (method.input_type, method.output_type)]
    seen = set()
    while todo:
        message = todo.pop()
        if message.full_name in seen or message.GetOptions().map_entry:
            continue
        seen.add(message.full_name)
        yield message
        todo += [field.message_type for field in message.fields if field.message_type is not None]


FIELDS: dict[str, dict[str, int]] = {
    "ZeroShotTokenClassificationRequest": {
        "inputs": 1,
        "metadata": 2,
        "labels": 3,
        "threshold": 4,
        "flat_ner": 5,
        "multi_label": 6,
    },
    "ZeroShotTokenClassificationResponse": {"results": 1, "model_id": 2, "metadata": 3},
    "ZeroShotTokenClassificationResult": {"entities": 1},
    "ZeroShotTokenClassificationResult.Entity": {"text": 1, "label": 2, "score": 3, "start": 4, "end": 5},
    "ZeroShotClassificationRequest": {
        "inputs": 1,
        "metadata": 2,
        "labels": 3,
        "multi_label": 4,
        "threshold": 5,
        "hypothesis_template": 6,
        "prompt": 7,
    },
    "ZeroShotClassificationResponse": {"results": 1, "model_id": 2, "metadata": 3},
    "ZeroShotClassificationResult": {"classifications": 1},
    "ZeroShotClassificationResult.Classification": {"label": 1, "score": 2},
    "GetModelMetadataRequest": {},
    "GetModelMetadataResponse": {"model_id": 1, "model_type": 2, "id2label": 3},
    "EmbeddingRequest": {"inputs": 1, "normalize": 2, "metadata": 3},
    "EmbeddingResponse": {"results": 1, "model_id": 2, "metadata": 3},
    "TokenEmbeddingSequence": {"embeddings": 1},
    "TokenEmbedding": {"embedding": 1, "token_info": 2},
    "token.TokenInfo": {"token": 1, "token_id": 2, "start": 3, "end": 4},
    "SentenceEmbeddingRequest": {"inputs": 1, "normalize": 2, "metadata": 3},
    "SentenceEmbeddingResponse": {"results": 1, "model_id": 2, "metadata": 3},
    "SentenceEmbeddingResult": {"embedding": 1},
    "SequenceClassificationRequest": {"inputs": 1, "metadata": 2},
    "SequenceClassificationResponse": {"results": 1, "model_id": 2, "metadata": 3},
    "SequenceClassificationResult": {"logits": 1, "scores": 2, "predicted_index": 3, "predicted_label": 4},
    "TokenClassificationRequest": {"inputs": 1, "metadata": 2},
    "TokenClassificationResponse": {"results": 1, "model_id": 2, "metadata": 3},
    "TokenClassificationResult": {"tokens": 1},
    "TokenClassificationResult.TokenClassification": {
        "token_info": 1,
        "logits": 2,
        "scores": 3,
        "label": 4,
        "score": 5,
    },
}
"""As printed in the API page; a message that clashes with a service's name is nested."""
