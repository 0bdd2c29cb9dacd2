"""The formats in which `infer` writes answers: the body of `/predict`, a result a line, a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, BinaryIO, Protocol

import orjson

from encoderfile.service.service import Service
from encoderfile.tasks.abilities import Extracted
from encoderfile.tasks.results import Result, to_json
from encoderfile.terminal import Screen
from encoderfile.types import Text

Answer = Result | Extracted

_JSON = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE


class Writer(Protocol):
    """Takes answers in the order of their texts."""

    def add(self, texts: Sequence[Text], answers: Sequence[Answer]) -> None:
        """Writes some of them, or keeps them until the end."""

    def end(self) -> None:
        """Writes what is left, when all were added."""


def writer(form: str, out: BinaryIO, service: Service, screen: Screen) -> Writer:
    """The writer of a format (`json`, `jsonl`, `table`); `screen` is what tables are drawn for."""
    if form == "table":
        return _Table(out, service, screen)
    return _Lines(out) if form == "jsonl" else _Body(out, service.info.model_id)


class _Body:
    def __init__(self, out: BinaryIO, model_id: str) -> None:
        self._out, self._model_id = out, model_id
        self._results: list[Any] = []

    def add(self, texts: Sequence[Text], answers: Sequence[Answer]) -> None:
        self._results += map(_value, answers)

    def end(self) -> None:
        body = {"results": self._results, "model_id": self._model_id}
        self._out.write(orjson.dumps(body, option=_JSON))


class _Lines:
    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def add(self, texts: Sequence[Text], answers: Sequence[Answer]) -> None:
        for answer in answers:
            self._out.write(orjson.dumps(_value(answer), option=_JSON))

    def end(self) -> None:
        """Everything is written."""


class _Table:
    def __init__(self, out: BinaryIO, service: Service, screen: Screen) -> None:
        from encoderfile.runtime.readable import Readable

        self._out, self._screen = out, screen
        self._readable = Readable(service, screen)

    def add(self, texts: Sequence[Text], answers: Sequence[Answer]) -> None:
        for text, answer in zip(texts, answers, strict=True):
            for line in self._readable.lines(text, answer):
                self._out.write(self._screen.encode(line))

    def end(self) -> None:
        for line in self._readable.closing():
            self._out.write(self._screen.encode(line))


def _value(answer: Answer) -> dict[str, Any]:
    if isinstance(answer, Extracted):
        return {"entities": [entity._asdict() for entity in answer.entities]}
    return to_json(answer)
