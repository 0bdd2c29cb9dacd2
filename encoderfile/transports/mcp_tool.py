"""MCP: what a tool is, and `run_encoder`, which every model has."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from msgspec import Struct

from encoderfile.service.json_form import answer, read_request, request_schema, response_schema
from encoderfile.service.metrics import Answering
from encoderfile.service.requests import json_schema
from encoderfile.service.service import Service
from encoderfile.tasks import Task
from encoderfile.types import ModelInfo

Arguments = Mapping[str, Any]

RUN_ENCODER = "run_encoder"

MAX_VALUES = 1 << 22
"""Maximum numbers of one answer: the SDK holds each as a Python object, and all of them as text too."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool. `call` reads the arguments and gives what `json_chunks` writes; it raises what the service raises."""

    name: str
    title: str
    description: str
    input_schema: dict[str, Any]
    output_schema: dict[str, Any]
    call: Callable[[Arguments, Answering], Awaitable[Mapping[str, Any]]]


def rounded(score: float) -> float:
    """With seven digits, which is what a float32 is good for: each digit costs an agent."""
    return float(f"{score:.7g}")


def arguments_schema(shape: type[Struct]) -> dict[str, Any]:
    """JSON Schema of a tool's arguments. That some may be null too is left out: clients look for one type."""
    found = json_schema(shape)
    for argument in found["properties"].values():
        if isinstance(argument["type"], list):
            (argument["type"],) = (each for each in argument["type"] if each != "null")
    return found


def run_encoder(service: Service) -> Tool:
    """The model's whole answer, as `POST /predict` gives it."""
    info = service.info

    async def call(arguments: Arguments, answering: Answering) -> Mapping[str, Any]:
        request = read_request(arguments, service.task, info.truncation_side)
        return answer(await answering.by(service.predict(dataclasses.replace(request, max_values=MAX_VALUES))))

    return Tool(
        RUN_ENCODER,
        "Run the model",
        description(info, service.task, service.refuses_overflow),
        request_schema(service.task, info),
        response_schema(service.task),
        call,
    )


def description(info: ModelInfo, task: Task[Any], refuses_overflow: bool) -> str:
    """What the tool says of itself: enough for an agent to use it without guessing."""
    lines = [f"{task.summary} The model is {info.model_id} ({info.model_type}): it gives {task.answer}."]
    if info.id2label:
        labels = list(info.id2label.values())
        shown = ", ".join(labels[:30]) + (", ..." if len(labels) > 30 else "")
        lines.append(f"Its labels: {shown}.")
    lines.append(f"{limit(info, refuses_overflow)}")
    lines.append(f"Example arguments: {orjson.dumps(task.example).decode()}")
    return " ".join(lines)


def limit(info: ModelInfo, refuses_overflow: bool) -> str:
    """What becomes of long texts."""
    return f"Texts longer than {info.max_length} tokens are {'refused' if refuses_overflow else 'truncated'}."
