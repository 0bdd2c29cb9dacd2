"""MCP: the one tool, `run_encoder`: what it says of itself, and its calls."""

from __future__ import annotations

import dataclasses
import logging
from typing import TYPE_CHECKING, Any

import orjson

import encoderfile
from encoderfile.errors import EncoderfileError, InternalError, Kind
from encoderfile.service.json_form import read_request, request_schema, response_schema, write_answer
from encoderfile.service.metrics import TRUNCATED
from encoderfile.service.service import Service
from encoderfile.tasks import Task
from encoderfile.types import ModelInfo

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server
    from mcp_types import CallToolResult

log = logging.getLogger(__name__)

PARSE_ERROR, INVALID_REQUEST, INVALID_PARAMS, INTERNAL_ERROR = -32700, -32600, -32602, -32603

STATUS: dict[Kind, int] = {
    Kind.INVALID_ARGUMENT: INVALID_REQUEST,
    Kind.UNAUTHENTICATED: INVALID_REQUEST,
    Kind.RESOURCE_EXHAUSTED: INTERNAL_ERROR,
    Kind.UNAVAILABLE: INTERNAL_ERROR,
    Kind.INTERNAL: INTERNAL_ERROR,
    Kind.FAILED_PRECONDITION: INTERNAL_ERROR,
}
"""One JSON-RPC code per kind."""

TOOL = "run_encoder"

MAX_VALUES = 1 << 22
"""Maximum numbers of one answer: the SDK holds each as a Python object, and all of them as text too."""


def description(info: ModelInfo, task: Task[Any], refuses_overflow: bool) -> str:
    """What the tool says of itself: enough for an agent to use it without guessing."""
    lines = [f"{task.summary} The model is {info.model_id} ({info.model_type}): it gives {task.answer}."]
    if info.id2label:
        labels = list(info.id2label.values())
        shown = ", ".join(labels[:30]) + (", ..." if len(labels) > 30 else "")
        lines.append(f"Its labels: {shown}.")
    lines.append(f"Texts longer than {info.max_length} tokens are {'refused' if refuses_overflow else 'truncated'}.")
    lines.append(f"Example arguments: {orjson.dumps(task.example).decode()}")
    return " ".join(lines)


def build(service: Service) -> Server[Any]:
    """The MCP server around one service. Importing the SDK takes most of a second, so only here."""
    import mcp_types as types
    from mcp.server.lowlevel import Server
    from mcp.shared.exceptions import MCPError

    info = service.info
    words = description(info, service.task, service.refuses_overflow)
    tool = types.Tool(
        name=TOOL,
        description=words,
        input_schema=request_schema(service.task, info),
        output_schema=response_schema(service.task),
        annotations=types.ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False),
    )

    async def list_tools(_: Any, __: Any) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[tool])

    async def call_tool(_: Any, params: types.CallToolRequestParams) -> CallToolResult:
        if params.name != TOOL:
            raise MCPError(INVALID_PARAMS, f"there is no tool {params.name!r}: the only one is {TOOL}")
        try:
            with service.metrics.request("mcp") as answer:
                request = read_request(params.arguments or {}, service.task, info.truncation_side)
                request = dataclasses.replace(request, max_values=MAX_VALUES)
                text = write_answer(await answer.by(service.predict(request)))
        except EncoderfileError as error:
            raise MCPError(STATUS[error.kind], str(error)) from error
        except Exception as error:
            log.exception("a tool call failed")
            failure = InternalError.unforeseen()
            raise MCPError(INTERNAL_ERROR, str(failure)) from error
        result = types.CallToolResult(
            content=[types.TextContent(type="text", text=text.decode())], structured_content=orjson.loads(text)
        )
        if answer.truncated_inputs:
            result.meta = {TRUNCATED: answer.truncated_inputs}
        return result

    return Server(
        "encoderfile",
        version=encoderfile.__version__,
        title=f"{info.model_id} {info.version}",
        instructions=f"{info.model_id} {info.version}: {words}",
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )
