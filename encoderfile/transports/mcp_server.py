"""MCP: the server around the tools of one model, for both transports."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import orjson

import encoderfile
from encoderfile.errors import EncoderfileError, InternalError, Kind
from encoderfile.service.cooperative import cooperatively
from encoderfile.service.json_chunks import json_chunks
from encoderfile.service.metrics import TRUNCATED
from encoderfile.service.service import Service
from encoderfile.transports import mcp_labels, mcp_similarity
from encoderfile.transports.mcp_tool import RUN_ENCODER, Tool, run_encoder

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


def tools_of(service: Service) -> dict[str, Tool]:
    """By name: `run_encoder`, and then what else this model can do."""
    tools = [run_encoder(service), *mcp_similarity.tools(service), *mcp_labels.tools(service)]
    return {tool.name: tool for tool in tools}


def build(service: Service) -> Server[Any]:
    """The MCP server around one service. Importing the SDK takes most of a second, so only here."""
    import mcp_types as types
    from mcp.server.lowlevel import Server
    from mcp.shared.exceptions import MCPError

    info = service.info
    tools = tools_of(service)
    listed = [
        types.Tool(
            name=tool.name,
            title=tool.title,
            description=tool.description,
            input_schema=tool.input_schema,
            output_schema=tool.output_schema,
            annotations=types.ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False),
        )
        for tool in tools.values()
    ]

    async def list_tools(_: Any, __: Any) -> types.ListToolsResult:
        return types.ListToolsResult(tools=listed)

    async def call_tool(_: Any, params: types.CallToolRequestParams) -> CallToolResult:
        if params.name not in tools:
            raise MCPError(INVALID_PARAMS, f"there is no tool {params.name!r:.200}: {_there_are(list(tools))}")
        try:
            with service.metrics.request("mcp") as answering:
                content = await tools[params.name].call(params.arguments or {}, answering)
                text = b"".join(await cooperatively(json_chunks(content)))
        except EncoderfileError as error:
            raise MCPError(STATUS[error.kind], str(error)) from error
        except Exception as error:
            log.exception("a tool call failed")
            failure = InternalError.unforeseen()
            raise MCPError(INTERNAL_ERROR, str(failure)) from error
        result = types.CallToolResult(
            content=[types.TextContent(type="text", text=text.decode())], structured_content=orjson.loads(text)
        )
        if answering.truncated_inputs:
            result.meta = {TRUNCATED: answering.truncated_inputs}
        return result

    return Server(
        "encoderfile",
        version=encoderfile.__version__,
        title=f"{info.model_id} {info.version}",
        instructions=f"{info.model_id} {info.version}: {listed[0].description}{_for_agents(list(tools)[1:])}",
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def _for_agents(names: list[str]) -> str:
    return f" For most questions call {' or '.join(names)} instead." if names else ""


def _there_are(names: list[str]) -> str:
    return f"the only one is {RUN_ENCODER}" if len(names) == 1 else f"there are {', '.join(names)}"
