"""The JSON of `/predict`, in and out: shared by HTTP, MCP and `infer`."""

from __future__ import annotations

import reprlib
from typing import Any

from encoderfile.errors import InputError
from encoderfile.service import known_fields, prompts
from encoderfile.service.json_pieces import Pieces, object_pieces
from encoderfile.tasks import Task
from encoderfile.types import Prediction, PredictRequest, Text

_DONE = frozenset({"normalize", *prompts.FIELDS, *known_fields.TRUNCATION})
"""The known fields that `/predict` does."""


def read_request(body: object, task: Task[Any]) -> PredictRequest:
    """Checks the shape only; limits are the service's. Raises `InputError`.

    Unknown fields are ignored, but not those that other servers know (`known_fields`).
    """
    if not isinstance(body, dict):
        raise InputError(f"the body should be a JSON object, got {_kind(body)}")
    if "inputs" not in body:
        raise InputError("the field inputs is missing: send a list of texts")
    inputs = body["inputs"]
    if not isinstance(inputs, list):
        raise InputError(f"inputs should be a list of texts, got {_kind(inputs)}")
    if not all(isinstance(text, str) for text in inputs):
        inputs = [read_text(text, task, f"inputs[{index}]") for index, text in enumerate(inputs)]
    known_fields.check(body, _DONE)
    return PredictRequest(
        inputs,
        _normalize(body.get("normalize"), task),
        _metadata(body.get("metadata")),
        refuse_overflow=known_fields.refuse_overflow(body, task.manifest.tokenizer.truncation_side),
        prompt=prompts.read(body),
    )


def read_text(value: object, task: Task[Any], place: str) -> Text:
    """One input: a text, or `{"text": ..., "text_pair": ...}` where the model reads pairs. Raises `InputError`."""
    if isinstance(value, str):
        return value
    if not isinstance(value, dict) or not (task.takes_pairs or "text_pair" in value):
        raise InputError(f"{place} should be a text, got {_kind(value)}")
    for field in value.keys() - {"text", "text_pair"}:
        raise InputError(f"{place} has a field {reprlib.repr(field)}: an object may hold text and text_pair alone")
    text, pair = value.get("text"), value.get("text_pair")
    if not isinstance(text, str):
        raise InputError(f"{place}.text should be a text, got {_kind(text)}")
    if pair is not None and not isinstance(pair, str):
        raise InputError(f"{place}.text_pair should be a text, got {_kind(pair)}")
    return text if pair is None else (text, pair)


def _normalize(value: object, task: Task[Any]) -> bool | None:
    if not task.takes_normalize:
        return None
    if value is None:
        if task.normalize_is_required:
            raise InputError("the field normalize is missing: send true or false")
        return None
    if not isinstance(value, bool):
        raise InputError(f"normalize should be true or false, got {_kind(value)}")
    return value


def _metadata(value: object) -> dict[str, str] | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise InputError(f"metadata should be an object of texts, got {_kind(value)}")
    for key, entry in value.items():
        if not isinstance(key, str) or not isinstance(entry, str):
            raise InputError(f"metadata[{key!r}] should be a text, got {_kind(entry)}")
    return value


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    names = {str: "a text", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return names.get(type(value), "another type")


def write_answer(prediction: Prediction[Any], task: Task[Any]) -> bytes:
    """The body of the answer: floats in shortest form straight from float32."""
    return b"".join(answer_pieces(prediction, task))


def answer_pieces(prediction: Prediction[Any], task: Task[Any]) -> Pieces:
    """The body of the answer in pieces."""
    return object_pieces(answer(prediction, task))


def answer(prediction: Prediction[Any], task: Task[Any]) -> dict[str, Any]:
    """What the body of the answer holds; the results are made as they are written."""
    content: dict[str, Any] = {"results": map(task.to_json, prediction.results), "model_id": prediction.model_id}
    if prediction.metadata is not None:
        content["metadata"] = prediction.metadata
    return content
