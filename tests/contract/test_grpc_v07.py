"""Stubs made from encoderfile v0.7.0's own files keep working."""

import importlib
from typing import Any

import grpc
import pytest
from google.protobuf.message_factory import GetMessageClass

from encoderfile.transports._pb import encoderfile_pb2 as pb
from support.clients import RefusedError, exact, from_message
from support.servers import Servers

OLD = {
    "embed-tokens": ("embedding", "EmbeddingInference", pb.EmbeddingRequest),
    "embed": ("sentence_embedding", "SentenceEmbeddingInference", pb.SentenceEmbeddingRequest),
    "sentiment": (
        "sequence_classification",
        "SequenceClassificationInference",
        pb.SequenceClassificationRequest,
    ),
    "ner": ("token_classification", "TokenClassificationInference", pb.TokenClassificationRequest),
}


@pytest.fixture(params=OLD)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class OldStub:
    """The calls of that version's service, by the names and messages of its proto file."""

    def __init__(self, channel: Any, module: str, service: str) -> None:
        file = importlib.import_module(f"encoderfile.transports._pb.v07.{module}_pb2").DESCRIPTOR
        methods = file.services_by_name[service].methods_by_name
        for name in ("Predict", "GetModelMetadata"):
            call = channel.unary_unary(
                f"/encoderfile.{module}.{service}/{name}",
                request_serializer=GetMessageClass(methods[name].input_type).SerializeToString,
                response_deserializer=GetMessageClass(methods[name].output_type).FromString,
            )
            setattr(self, name, call)


@pytest.fixture
def old_stub(name: str, servers: Servers) -> Any:
    module, service, _ = OLD[name]
    return OldStub(servers.shared("grpc", name).channel, module, service)


@pytest.mark.proves("ENC Beyond the page", "Stubs of v0.7.0", here="Answered.")
def test_old_stubs_are_answered_with_the_same_numbers(name: str, old_stub: Any, servers: Servers) -> None:
    client = servers.shared("grpc", name)
    answer = client.call(old_stub.Predict, OLD[name][2](inputs=["hello Paris"], metadata={"k": "v"}))
    new = client.predict(["hello Paris"], metadata={"k": "v"}).body
    if name == "ner":
        for token in new["results"][0]["tokens"]:
            del token["logits"]
        assert old_tokens(answer) == new
    else:
        assert from_message(answer) == new


@pytest.mark.proves("ENC Beyond the page", "Stubs of v0.7.0")
def test_token_labels_have_the_field_numbers_of_that_version(servers: Servers) -> None:
    from encoderfile.transports._pb.v07 import token_classification_pb2 as v07

    fields = v07.TokenClassificationResult.TokenClassification.DESCRIPTOR.fields
    assert {field.name: field.number for field in fields} == {"token_info": 1, "scores": 2, "label": 3, "score": 4}


@pytest.mark.proves("ENC Beyond the page", "Stubs of v0.7.0")
def test_old_stubs_are_told_the_models_metadata(name: str, old_stub: Any, servers: Servers) -> None:
    client = servers.shared("grpc", name)
    request = pb.GetModelMetadataRequest()
    assert client.call(old_stub.GetModelMetadata, request) == client.call(client.stub.GetModelMetadata, request)


@pytest.mark.proves("ENC Beyond the page", "Stubs of v0.7.0")
def test_old_stubs_are_refused_with_the_same_sentence(name: str, old_stub: Any, servers: Servers) -> None:
    with pytest.raises(RefusedError) as refused:
        servers.shared("grpc", name).call(old_stub.Predict, OLD[name][2](inputs=["a", ""]))
    assert refused.value.status is grpc.StatusCode.INVALID_ARGUMENT
    assert refused.value.sentence == "Invalid input: empty text sequence (inputs[1])"


def old_tokens(answer: Any) -> dict[str, Any]:
    tokens = [
        {
            "token_info": {"token": i.token, "token_id": i.token_id, "start": i.start, "end": i.end},
            "scores": list(each.scores),
            "label": each.label,
            "score": each.score,
        }
        for each in answer.results[0].tokens
        for i in [each.token_info]
    ]
    body = {"results": [{"tokens": tokens}], "model_id": answer.model_id, "metadata": dict(answer.metadata)}
    found: dict[str, Any] = exact(body)
    return found
