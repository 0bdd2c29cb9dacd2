"""Predictions as the bytes of a protobuf message, one function per form of answer.

Built with the twins of `proto/answers.proto`, whose float lists are byte strings: same bytes on the wire,
one copy of each array's buffer, no float through Python.
"""

from __future__ import annotations

import functools

import numpy as np

from encoderfile.transports._pb import answers_pb2 as answers
from encoderfile.transports._pb import encoderfile_pb2 as pb
from encoderfile.transports._pb import token_pb2
from encoderfile.transports._pb.v07 import token_classification_pb2 as v07
from encoderfile.types import (
    FloatArray,
    Prediction,
    SentenceEmbedding,
    SequenceLabels,
    TokenEmbeddings,
    TokenInfo,
    TokenLabels,
)


def _floats(array: FloatArray) -> bytes:
    """Little-endian float32, as protobuf packs them."""
    return array.astype("<f4", copy=False).tobytes()


def _token(token: TokenInfo) -> token_pb2.TokenInfo:
    return token_pb2.TokenInfo(token=token.token, token_id=token.token_id, start=token.start, end=token.end)


@functools.lru_cache(1 << 12)
def _varint(number: int) -> bytes:
    """`number` as protobuf writes lengths: seven bits a byte, the lowest first."""
    low = number & 0x7F
    return bytes([low]) if low == number else bytes([low | 0x80]) + _varint(number >> 7)


def token_embeddings(prediction: Prediction[TokenEmbeddings]) -> bytes:
    """`EmbeddingResponse`.

    Put together from the bytes of its fields, which is all that a message is: a million floats take a fifth of
    the time that a message object per token does. Fields 1 and 2 of any message are tagged 0x0A and 0x12.
    """
    parts: list[bytes | memoryview] = []
    for result in prediction.results:
        fields, size = _token_fields(result)
        parts += (b"\n", _varint(size), *fields)
    parts.append(pb.EmbeddingResponse(model_id=prediction.model_id, metadata=prediction.metadata).SerializeToString())
    return b"".join(parts)


def _token_fields(result: TokenEmbeddings) -> tuple[list[bytes | memoryview], int]:
    """The fields of one `TokenEmbeddings`, in pieces, and how many bytes they are."""
    floats = np.ascontiguousarray(result.embeddings, dtype="<f4").view(np.uint8).ravel().data
    width = 4 * result.embeddings.shape[1]
    tag = b"\n%b" % _varint(width)
    pieces: list[bytes | memoryview] = []
    info, start, total = token_pb2.TokenInfo(), 0, 0
    for info.token, info.token_id, info.start, info.end in result.tokens:
        written = info.SerializeToString()
        tail = b"\x12%b%b" % (_varint(len(written)), written)
        head = b"\n%b%b" % (_varint(len(tag) + width + len(tail)), tag)
        pieces += (head, floats[start : start + width], tail)
        start += width
        total += len(head) + width + len(tail)
    return pieces, total


def sentence_embeddings(prediction: Prediction[SentenceEmbedding]) -> bytes:
    """`SentenceEmbeddingResponse`."""
    return answers.SentenceEmbeddings(
        results=[
            answers.SentenceEmbeddings.Sentence(embedding=_floats(result.embedding)) for result in prediction.results
        ],
        model_id=prediction.model_id,
        metadata=prediction.metadata,
    ).SerializeToString()


def sequence_labels(prediction: Prediction[SequenceLabels]) -> bytes:
    """`SequenceClassificationResponse`."""
    return answers.SequenceClassifications(
        results=[
            answers.SequenceClassifications.Labels(
                logits=_floats(result.logits),
                scores=_floats(result.scores),
                predicted_index=result.predicted_index,
                predicted_label=result.predicted_label,
            )
            for result in prediction.results
        ],
        model_id=prediction.model_id,
        metadata=prediction.metadata,
    ).SerializeToString()


def token_labels(prediction: Prediction[TokenLabels]) -> bytes:
    """`TokenClassificationResponse`."""
    return answers.TokenClassifications(
        results=[_token_labels(result) for result in prediction.results],
        model_id=prediction.model_id,
        metadata=prediction.metadata,
    ).SerializeToString()


def _token_labels(result: TokenLabels) -> answers.TokenLabels:
    rows = zip(result.tokens, result.logits, result.scores, result.labels, result.score, strict=True)
    return answers.TokenLabels(
        tokens=[
            answers.TokenLabels.Token(
                token_info=_token(info),
                logits=_floats(logits),
                scores=_floats(scores),
                label=label,
                score=float(score),
            )
            for info, logits, scores, label, score in rows
        ]
    )


def token_labels_v07(prediction: Prediction[TokenLabels]) -> bytes:
    """v0.7.0's `TokenClassificationResponse`: no logits, other field numbers."""
    token = v07.TokenClassificationResult.TokenClassification
    return v07.TokenClassificationResponse(
        results=[
            v07.TokenClassificationResult(
                tokens=[
                    token(token_info=_token(info), scores=scores.tolist(), label=label, score=float(score))
                    for info, scores, label, score in zip(
                        result.tokens, result.scores, result.labels, result.score, strict=True
                    )
                ]
            )
            for result in prediction.results
        ],
        model_id=prediction.model_id,
        metadata=prediction.metadata,
    ).SerializeToString()
