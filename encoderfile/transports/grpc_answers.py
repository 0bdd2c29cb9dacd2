"""Predictions as protobuf, one function per form of answer.

Built with the twins of `proto/answers.proto`, whose float lists are byte strings: same bytes on the wire,
one copy of each array's buffer, no float through Python.
"""

from __future__ import annotations

from encoderfile.transports._pb import answers_pb2 as answers
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


def token_embeddings(prediction: Prediction[TokenEmbeddings]) -> answers.Embeddings:
    """`EmbeddingResponse`."""
    token = answers.TokenEmbeddings.Token
    return answers.Embeddings(
        results=[
            answers.TokenEmbeddings(
                embeddings=[
                    token(embedding=_floats(row), token_info=_token(info))
                    for row, info in zip(result.embeddings, result.tokens, strict=True)
                ]
            )
            for result in prediction.results
        ],
        model_id=prediction.model_id,
        metadata=prediction.metadata,
    )


def sentence_embeddings(prediction: Prediction[SentenceEmbedding]) -> answers.SentenceEmbeddings:
    """`SentenceEmbeddingResponse`."""
    return answers.SentenceEmbeddings(
        results=[
            answers.SentenceEmbeddings.Sentence(embedding=_floats(result.embedding)) for result in prediction.results
        ],
        model_id=prediction.model_id,
        metadata=prediction.metadata,
    )


def sequence_labels(prediction: Prediction[SequenceLabels]) -> answers.SequenceClassifications:
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
    )


def token_labels(prediction: Prediction[TokenLabels]) -> answers.TokenClassifications:
    """`TokenClassificationResponse`."""
    return answers.TokenClassifications(
        results=[_token_labels(result) for result in prediction.results],
        model_id=prediction.model_id,
        metadata=prediction.metadata,
    )


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


def token_labels_v07(prediction: Prediction[TokenLabels]) -> v07.TokenClassificationResponse:
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
    )
