"""The bytes of answers, derived from what tasks declare, against those that protobuf writes."""

import numpy as np
import pytest

from encoderfile.tasks.embedding import TokenEmbeddings
from encoderfile.transports._pb import encoderfile_pb2 as pb
from encoderfile.transports.grpc_messages import Writer
from encoderfile.types import Prediction, TokenInfo

WRITE = Writer(pb.EmbeddingResponse.DESCRIPTOR, TokenEmbeddings)

TOKENS = {
    "one plain token": [TokenInfo("word", 7, 0, 4)],
    "no token": [],
    "zeros and an empty text": [TokenInfo("", 0, 0, 0)],
    "a token longer than a byte can count": [TokenInfo("ü" * 200, 250_000, 3, 1 << 30)],
    "enough for a length of three bytes": [TokenInfo("x" * n, n, n, 2 * n) for n in range(100)],
}


@pytest.mark.parametrize("width", [1, 31, 32, 384])
@pytest.mark.parametrize("tokens", TOKENS.values(), ids=TOKENS)
def test_token_embeddings_are_written_as_protobuf_writes_them(tokens: list[TokenInfo], width: int) -> None:
    rows = np.random.default_rng(0).standard_normal((len(tokens), width), dtype=np.float32)
    result = TokenEmbeddings(rows, tuple(tokens))
    expected = pb.EmbeddingResponse(model_id="m", metadata={"key": "value"})
    for _ in range(2):
        vectors = expected.results.add().embeddings
        for row, (token, token_id, start, end) in zip(rows, tokens, strict=True):
            one = vectors.add(embedding=row.tolist())
            one.token_info.MergeFrom(type(one.token_info)(token=token, token_id=token_id, start=start, end=end))
            one.token_info.SetInParent()
    prediction = Prediction([result, result], "m", metadata={"key": "value"})
    assert b"".join(WRITE(prediction)) == expected.SerializeToString()


def test_vectors_that_are_not_contiguous_in_memory_are_written_right() -> None:
    rows = np.arange(24, dtype=np.float64).reshape(4, 6)[::2, ::3].astype(np.float32, order="F")
    written = b"".join(
        WRITE(Prediction([TokenEmbeddings(rows, (TokenInfo("a", 1, 0, 1), TokenInfo("b", 2, 1, 2)))], "m"))
    )
    read = pb.EmbeddingResponse.FromString(written)
    assert [list(each.embedding) for each in read.results[0].embeddings] == rows.tolist()
