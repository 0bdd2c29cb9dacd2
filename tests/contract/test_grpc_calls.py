"""gRPC: metadata of the model, methods that are not here, bytes that are no message, sizes."""

import grpc
import pytest

from encoderfile.transports._pb import encoderfile_pb2 as pb
from support.clients import GrpcClient, RefusedError
from support.model_types import OF_EACH_TYPE, id_of, labels_of, task_of
from support.servers import Servers

MEGABYTE = 1 << 20


def raw(client: GrpcClient, method: str, data: bytes) -> bytes:
    """One call with bytes as they are."""
    answer: bytes = client.call(client.channel.unary_unary(method), data)
    return answer


@pytest.mark.proves(
    "ENC gRPC",
    "All services have `GetModelMetadata`, with an empty request",
    "`GetModelMetadataResponse`: `model_id` = 1, `model_type` = 2, `id2label` = 3",
)
@pytest.mark.parametrize("name", OF_EACH_TYPE)
def test_the_models_metadata_is_told(name: str, servers: Servers) -> None:
    client = servers.shared("grpc", name)
    told = client.call(client.stub.GetModelMetadata, pb.GetModelMetadataRequest())
    labels = {str(index): label for index, label in told.id2label.items()}
    assert (told.model_id, labels) == (id_of(name), labels_of(name) or {})
    assert pb.ModelType.Name(told.model_type) == task_of(name).name.upper()


@pytest.mark.proves("ENC gRPC", "`ModelType`: the numbers 0 to 3")
def test_the_model_types_have_the_numbers_of_the_api_page() -> None:
    numbers = dict(pb.ModelType.items())
    assert numbers.pop("SENTENCE_EMBEDDING") == 4, "ours, as v0.7.0 has it"
    assert numbers.pop("ZERO_SHOT_TOKEN_CLASSIFICATION") == 5
    assert numbers.pop("ZERO_SHOT_CLASSIFICATION") == 6
    assert numbers == {
        "MODEL_TYPE_UNSPECIFIED": 0,
        "EMBEDDING": 1,
        "SEQUENCE_CLASSIFICATION": 2,
        "TOKEN_CLASSIFICATION": 3,
    }


@pytest.mark.proves("ENC gRPC", "Three services, by model type")
@pytest.mark.parametrize(
    "method", ["encoderfile.Embedding/Predict", "encoderfile.embedding.EmbeddingInference/Predict"]
)
def test_another_model_types_service_is_unimplemented_and_the_answer_names_the_own(
    method: str, servers: Servers
) -> None:
    with pytest.raises(RefusedError) as refused:
        raw(servers.shared("grpc", "ner"), f"/{method}", b"")
    assert refused.value.status is grpc.StatusCode.UNIMPLEMENTED
    assert refused.value.sentence == (
        "this model has the service encoderfile.TokenClassification: "
        "for each token its label, score and character offsets"
    )


NO_MESSAGE = {"noise": b"\xff\xff\xff", "cut": b"\x0a\xff", "a lone surrogate": b"\x0a\x03\xed\xa0\x80"}


@pytest.mark.proves("ENC gRPC", "`INVALID_ARGUMENT` where HTTP answers 422")
@pytest.mark.proves("ENC Beyond the page", "Lone surrogates")
@pytest.mark.parametrize(
    ("method", "data"),
    [("Predict", data) for data in NO_MESSAGE.values()] + [("GetModelMetadata", NO_MESSAGE["noise"])],
    ids=[*NO_MESSAGE, "noise to the other method"],
)
def test_bytes_that_are_not_a_message_are_invalid_input(method: str, data: bytes, servers: Servers) -> None:
    client = servers.shared("grpc", "sentiment")
    with pytest.raises(RefusedError) as refused:
        raw(client, f"/encoderfile.SequenceClassification/{method}", data)
    assert refused.value.status is grpc.StatusCode.INVALID_ARGUMENT
    assert refused.value.sentence == "Invalid input: the bytes are no message of this method"
    assert len(client.predict(["fine"]).results) == 1


@pytest.mark.proves("ENC Rate limiting and performance", "Advice: gRPC for many requests")
def test_answers_beyond_four_megabytes_arrive(servers: Servers) -> None:
    client = servers.shared("grpc", "embed-tokens")
    request = pb.EmbeddingRequest(inputs=["word " * 300] * 40)
    answer = raw(client, "/encoderfile.Embedding/Predict", request.SerializeToString())
    assert len(answer) > 4 * MEGABYTE
    assert len(pb.EmbeddingResponse.FromString(answer).results) == 40


@pytest.mark.proves("ENC Beyond the page", "A body over the size limit")
def test_a_request_at_the_body_limit_is_answered_and_a_larger_one_is_not(own: Servers) -> None:
    client = own.client("grpc", "sentiment", max_body_bytes=1000)
    at_limit = pb.SequenceClassificationRequest(inputs=["a" * 997])
    assert at_limit.ByteSize() == 1000
    assert len(client.call(client.stub.Predict, at_limit).results) == 1
    with pytest.raises(RefusedError) as refused:
        client.call(client.stub.Predict, pb.SequenceClassificationRequest(inputs=["a" * 998]))
    assert refused.value.status is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "1001 vs. 1000" in refused.value.sentence
    assert len(client.predict(["fine"]).results) == 1


def test_normalize_left_out_means_false_for_tokens_as_proto3_has_it(servers: Servers) -> None:
    client = servers.shared("grpc", "embed-tokens")
    assert client.predict(["hello"]) == client.predict(["hello"], normalize=False)
    assert client.predict(["hello"]) != client.predict(["hello"], normalize=True)
