"""The JSON of `/predict`, in and out: shared by HTTP, MCP and `infer`."""

from __future__ import annotations

from typing import Any

from encoderfile.errors import InputError
from encoderfile.service.json_pieces import Pieces, object_pieces
from encoderfile.tasks import Task
from encoderfile.types import Prediction, PredictRequest


def read_request(body: object, task: Task[Any]) -> PredictRequest:
    """Checks the shape only; limits are the service's. Raises `InputError`. Unknown fields are ignored."""
    if not isinstance(body, dict):
        raise InputError(f"the body should be a JSON object, got {_kind(body)}")
    if "inputs" not in body:
        raise InputError("the field inputs is missing: send a list of texts")
    inputs = body["inputs"]
    if not isinstance(inputs, list):
        raise InputError(f"inputs should be a list of texts, got {_kind(inputs)}")
    for index, text in enumerate(inputs):
        if not isinstance(text, str):
            raise InputError(f"inputs[{index}] should be a text, got {_kind(text)}")
    return PredictRequest(inputs, _normalize(body.get("normalize"), task), _metadata(body.get("metadata")))


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
    content: dict[str, Any] = {"results": map(task.to_json, prediction.results), "model_id": prediction.model_id}
    if prediction.metadata is not None:
        content["metadata"] = prediction.metadata
    return object_pieces(content)
