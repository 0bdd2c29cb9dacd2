"""The JSON of `/predict`, in and out: shared by HTTP, MCP and `infer`."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from encoderfile.service import known_fields, prompts
from encoderfile.service.json_chunks import json_chunks
from encoderfile.service.requests import json_schema, read
from encoderfile.tasks import Task
from encoderfile.tasks.options import Option
from encoderfile.tasks.results import JsonSchema, schema, to_json
from encoderfile.types import ModelInfo, Prediction, PredictRequest, Text

_Text = Annotated[str, Meta(extra_json_schema={"minLength": 1})]


class TextPair(msgspec.Struct, forbid_unknown_fields=True):
    """Two texts that are read as one."""

    text: _Text
    text_pair: _Text | None = None

    def to_text(self) -> Text:
        """The two, or the first alone."""
        return self.text if self.text_pair is None else (self.text, self.text_pair)


class _Request(msgspec.Struct):
    """The fields of requests to every model."""

    inputs: list[str | TextPair]
    metadata: Annotated[dict[str, str] | None, Meta(description="Returned as it is with the answer.")] = None
    prompt: Annotated[str | None, Meta(description="A text that is put before each input; empty for none.")] = None
    prompt_name: str | None = None
    input_type: str | None = None


@functools.cache
def _shape(options: tuple[Option, ...]) -> type[_Request]:
    """What a request may hold to a model with these options."""
    fields = [_field(each) for each in options]
    shape: Any = msgspec.defstruct("Request", fields, bases=(_Request,), kw_only=True)
    return shape  # type: ignore[no-any-return]


def _field(option: Option) -> tuple[Any, ...]:
    described = Meta(description=option.description, extra_json_schema=dict(option.schema))
    required = (option.name, Annotated[option.type, described])
    return required if option.required else (option.name, Annotated[option.type | None, described], None)


def request_schema(task: Task[Any], info: ModelInfo) -> JsonSchema:
    """JSON Schema of the body of `POST /predict`."""
    whole = json_schema(_shape(task.options))
    shown = ["inputs", "metadata", *(each.name for each in task.options)]
    if task.takes_prompt:
        shown += ["prompt"] * task.takes_prompt_text + ["prompt_name"] * bool(prompts.names_of(task, info))
    properties = {name: whole["properties"][name] for name in shown}
    properties["inputs"] = _inputs_schema(properties["inputs"], task.takes_pairs)
    if "prompt_name" in shown:
        properties["prompt_name"] = _prompt_name_schema(task, info)
    return {"type": "object", "properties": properties, "required": whole["required"]}


def _inputs_schema(schema: JsonSchema, takes_pairs: bool) -> JsonSchema:
    text, pair = {"type": "string", "minLength": 1}, schema["items"]["anyOf"][1]
    return {
        **schema,
        "items": {"anyOf": [text, pair]} if takes_pairs else text,
        "minItems": 1,
        "description": "Texts, one result each."
        + (" A pair of texts that is read as one is an object." if takes_pairs else ""),
    }


def _prompt_name_schema(task: Task[Any], info: ModelInfo) -> JsonSchema:
    default = info.default_prompt_name
    words = "; ".join(f"{name} is {prompt!r}" for name, prompt in info.prompts.items())
    description = f"Or one of the model's own prompts. Left out: {default or 'none'}. {words}"
    if not task.takes_prompt_text:
        description = f"What the texts are for, which the model reads differently. Left out: {task.purposes[-1]}."
    return {"type": ["string", "null"], "enum": [*prompts.names_of(task, info), None], "description": description}


def response_schema(task: Task[Any]) -> JsonSchema:
    """JSON Schema of the answer to `POST /predict`."""
    return {
        "type": "object",
        "properties": {
            "results": {"type": "array", "items": schema(task.result), "description": "One per input, in order."},
            "model_id": {"type": "string"},
            "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
        },
        "required": ["results", "model_id"],
    }


def read_request(body: object, task: Task[Any], truncation_side: str) -> PredictRequest:
    """Checks the shape only; limits are the service's. Raises `InputError`.

    Unknown fields are ignored, but not those that other servers know (`known_fields`).
    """
    asked = read(body, _shape(task.options))
    assert isinstance(body, Mapping)
    done = {*(each.name for each in task.options), "normalize", *prompts.FIELDS, *known_fields.TRUNCATION}
    known_fields.check(body, done)
    return PredictRequest(
        [each if isinstance(each, str) else each.to_text() for each in asked.inputs],
        {each.name: getattr(asked, each.name) for each in task.options if getattr(asked, each.name) is not None},
        asked.metadata,
        truncation=known_fields.truncation(body, truncation_side, fixed=task.fixed_truncation),
        prompt=prompts.read(body),
    )


def write_answer(prediction: Prediction[Any]) -> bytes:
    """The body of the answer: floats in shortest form straight from float32."""
    return b"".join(json_chunks(answer(prediction)))


def answer(prediction: Prediction[Any]) -> dict[str, Any]:
    """What the body of the answer holds; the results are made as they are written."""
    content: dict[str, Any] = {"results": map(to_json, prediction.results), "model_id": prediction.model_id}
    if prediction.metadata is not None:
        content["metadata"] = prediction.metadata
    return content
