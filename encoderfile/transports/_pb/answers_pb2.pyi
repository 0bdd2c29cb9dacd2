from encoderfile.transports._pb import token_pb2 as _token_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SentenceEmbeddings(_message.Message):
    __slots__ = ("results", "model_id", "metadata")
    class Sentence(_message.Message):
        __slots__ = ("embedding",)
        EMBEDDING_FIELD_NUMBER: _ClassVar[int]
        embedding: bytes
        def __init__(self, embedding: _Optional[bytes] = ...) -> None: ...
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[SentenceEmbeddings.Sentence]
    model_id: str
    metadata: _containers.ScalarMap[str, str]
    def __init__(self, results: _Optional[_Iterable[_Union[SentenceEmbeddings.Sentence, _Mapping]]] = ..., model_id: _Optional[str] = ..., metadata: _Optional[_Mapping[str, str]] = ...) -> None: ...

class SequenceClassifications(_message.Message):
    __slots__ = ("results", "model_id", "metadata")
    class Labels(_message.Message):
        __slots__ = ("logits", "scores", "predicted_index", "predicted_label")
        LOGITS_FIELD_NUMBER: _ClassVar[int]
        SCORES_FIELD_NUMBER: _ClassVar[int]
        PREDICTED_INDEX_FIELD_NUMBER: _ClassVar[int]
        PREDICTED_LABEL_FIELD_NUMBER: _ClassVar[int]
        logits: bytes
        scores: bytes
        predicted_index: int
        predicted_label: str
        def __init__(self, logits: _Optional[bytes] = ..., scores: _Optional[bytes] = ..., predicted_index: _Optional[int] = ..., predicted_label: _Optional[str] = ...) -> None: ...
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[SequenceClassifications.Labels]
    model_id: str
    metadata: _containers.ScalarMap[str, str]
    def __init__(self, results: _Optional[_Iterable[_Union[SequenceClassifications.Labels, _Mapping]]] = ..., model_id: _Optional[str] = ..., metadata: _Optional[_Mapping[str, str]] = ...) -> None: ...

class TokenClassifications(_message.Message):
    __slots__ = ("results", "model_id", "metadata")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[TokenLabels]
    model_id: str
    metadata: _containers.ScalarMap[str, str]
    def __init__(self, results: _Optional[_Iterable[_Union[TokenLabels, _Mapping]]] = ..., model_id: _Optional[str] = ..., metadata: _Optional[_Mapping[str, str]] = ...) -> None: ...

class TokenLabels(_message.Message):
    __slots__ = ("tokens",)
    class Token(_message.Message):
        __slots__ = ("token_info", "logits", "scores", "label", "score")
        TOKEN_INFO_FIELD_NUMBER: _ClassVar[int]
        LOGITS_FIELD_NUMBER: _ClassVar[int]
        SCORES_FIELD_NUMBER: _ClassVar[int]
        LABEL_FIELD_NUMBER: _ClassVar[int]
        SCORE_FIELD_NUMBER: _ClassVar[int]
        token_info: _token_pb2.TokenInfo
        logits: bytes
        scores: bytes
        label: str
        score: float
        def __init__(self, token_info: _Optional[_Union[_token_pb2.TokenInfo, _Mapping]] = ..., logits: _Optional[bytes] = ..., scores: _Optional[bytes] = ..., label: _Optional[str] = ..., score: _Optional[float] = ...) -> None: ...
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    tokens: _containers.RepeatedCompositeFieldContainer[TokenLabels.Token]
    def __init__(self, tokens: _Optional[_Iterable[_Union[TokenLabels.Token, _Mapping]]] = ...) -> None: ...
