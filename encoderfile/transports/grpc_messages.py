"""Answers as protobuf, derived from the published messages and from what a task declares of its results.

Fields of a result and of a message belong together by their names. Written with twins of the published messages that
have `bytes` in place of every `repeated float`: a packed list of floats and a byte string have one form on the wire,
so an array's own memory is copied and no float passes through Python.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from encoderfile.tasks.results import Field, FieldType, Result, fields
from encoderfile.types import Prediction, TokenInfo

Chunks = Iterator[bytes]

_LENGTH_DELIMITED = 2
"""The wire type of strings, bytes and messages."""


class Writer:
    """Writes the answers of one method."""

    def __init__(self, answer: Descriptor, result: type[Result]) -> None:
        """`answer` is the published message: a list of `results`, and what follows them."""
        twin = _twins(answer.file).FindMessageTypeByName(answer.full_name)
        self._answer = GetMessageClass(twin)
        results = twin.fields_by_name["results"]
        self._result_tag = _tag(results)
        row: Any = results.message_type
        self._row_tag = b""
        if result.rows is not None:
            listed = row.fields_by_name[result.rows.name]
            self._row_tag, row = _tag(listed), listed.message_type
        self._row = GetMessageClass(row)
        self._fields = [each for each in fields(result) if each.name in row.fields_by_name]  # v0.7.0 has fewer

    def __call__(self, prediction: Prediction[Any]) -> Chunks:
        """The bytes of the message in chunks."""
        for result in prediction.results:
            rows = self._rows(result)
            written = b"".join(_delimited(self._row_tag, rows)) if self._row_tag else b"".join(rows)
            yield from _delimited(self._result_tag, [written])
        yield self._answer(model_id=prediction.model_id, metadata=prediction.metadata).SerializeToString()

    def _rows(self, result: Result) -> Iterator[bytes]:
        """The bytes of each row. One message serves them all: to make one for each takes three times as long."""
        row = self._row()
        setters = [_setter(row, each) for each in self._fields]
        columns = []
        for each in self._fields:
            value = getattr(result, each.attribute)
            columns.append(_WRITTEN.get(each.type, iter)(value if self._row_tag else [value]))
        for values in zip(*columns, strict=True):
            for set_field, value in zip(setters, values, strict=True):
                set_field(value)
            yield row.SerializeToString()


def _setter(row: Any, field: Field) -> Callable[[Any], None]:
    if field.type is not FieldType.TOKEN:
        return partial(setattr, row, field.name)
    token = getattr(row, field.name)
    token.SetInParent()

    def set_token(info: TokenInfo) -> None:
        token.token, token.token_id, token.start, token.end = info

    return set_token


def _floats(arrays: Any) -> Iterator[bytes]:
    """Little-endian float32, as protobuf packs them."""
    for array in arrays:
        yield array.astype("<f4", copy=False).tobytes()


_WRITTEN: dict[FieldType, Callable[[Any], Iterator[Any]]] = {
    FieldType.FLOATS: _floats,
    FieldType.FLOAT: lambda numbers: map(float, numbers),
}
"""How the values of all rows are written, where it is not as they are."""


def _tag(field: FieldDescriptor) -> bytes:
    return _varint(field.number << 3 | _LENGTH_DELIMITED)


def _delimited(tag: bytes, messages: Iterable[bytes]) -> Chunks:
    for message in messages:
        yield tag + _varint(len(message))
        yield message


@functools.lru_cache(1 << 12)
def _varint(number: int) -> bytes:
    """`number` as protobuf writes it: seven bits a byte, the lowest first."""
    low = number & 0x7F
    return bytes([low]) if low == number else bytes([low | 0x80]) + _varint(number >> 7)


def _twins(file: FileDescriptor) -> DescriptorPool:
    pool = DescriptorPool()
    _add(pool, file, set())
    return pool


def _add(pool: DescriptorPool, file: FileDescriptor, added: set[str]) -> None:
    for each in file.dependencies:
        if each.name not in added:
            _add(pool, each, added)
    added.add(file.name)
    twin = FileDescriptorProto()
    file.CopyToProto(twin)
    _pack(twin.message_type)
    pool.AddSerializedFile(twin.SerializeToString())


def _pack(messages: Iterable[DescriptorProto]) -> None:
    for message in messages:
        for each in message.field:
            if each.type == FieldDescriptorProto.TYPE_FLOAT and each.label == FieldDescriptorProto.LABEL_REPEATED:
                each.type, each.label = FieldDescriptorProto.TYPE_BYTES, FieldDescriptorProto.LABEL_OPTIONAL
        _pack(message.nested_type)
