"""The server writes its answers with twins of the published messages; on the wire nobody can tell."""

import pytest

from encoderfile.transports._pb import encoderfile_pb2 as pb
from support.clients import GrpcClient
from support.model_types import OF_EACH_TYPE, service_of, task_of
from support.servers import Servers


def answer_bytes(client: GrpcClient, service: str, request: bytes) -> bytes:
    answer: bytes = client.call(client.channel.unary_unary(f"/encoderfile.{service}/Predict"), request)
    return answer


@pytest.mark.proves(
    "ENC gRPC", "The fields of requests and answers have the names and numbers printed, down to `TokenInfo`"
)
@pytest.mark.parametrize("metadata", [{}, {"key": "value"}], ids=["without metadata", "with metadata"])
@pytest.mark.parametrize("name", OF_EACH_TYPE)
def test_answers_are_byte_for_byte_those_of_the_published_messages(
    name: str, metadata: dict[str, str], servers: Servers
) -> None:
    service = service_of(name)
    ask, response = (getattr(pb, f"{service}{what}") for what in ("Request", "Response"))
    request = ask(**{**task_of(name).example, "inputs": ["hello Paris", " "], "metadata": metadata})
    sent = answer_bytes(servers.shared("grpc", name), service, request.SerializeToString())
    read = response.FromString(sent)
    assert len(read.results) == 2
    rebuilt = response()
    rebuilt.MergeFrom(read)
    assert rebuilt.SerializeToString(deterministic=True) == sent
    assert not unknown(read)


def unknown(message: object) -> list[int]:
    """Numbers of fields the published message does not know, at any depth."""
    from google.protobuf.unknown_fields import UnknownFieldSet

    found = [each.field_number for each in UnknownFieldSet(message)]
    for field, value in message.ListFields():  # type: ignore[attr-defined]
        if field.message_type is None or field.message_type.GetOptions().map_entry:
            continue
        for each in value if field.is_repeated else [value]:
            found += unknown(each)
    return found
