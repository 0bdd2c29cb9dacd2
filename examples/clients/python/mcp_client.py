"""Asks a built file as an agent does, with the official MCP SDK (`pip install "mcp>=2.3"`).

    python mcp_client.py http://localhost:8080/mcp TEXT...
    python mcp_client.py ./sentiment.encoderfile TEXT...

A URL is spoken to over Streamable HTTP; a file is started with `mcp` and spoken to over stdio.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Any

from mcp import Client, StdioServerParameters
from show import show


def place(server: str) -> str | StdioServerParameters:
    """A URL as it is, a file as the command that speaks MCP."""
    if server.startswith(("http://", "https://")):
        return server
    return StdioServerParameters(command=str(Path(server).resolve()), args=["mcp"])


async def predict(server: str, texts: list[str]) -> Any:
    """What the tool `run_encoder` answers, the first of the file: the body of `POST /predict`."""
    async with Client(place(server)) as client:
        tool = (await client.list_tools()).tools[0]
        print(f"{tool.name}: {tool.description}\n")
        arguments: dict[str, Any] = {"inputs": texts}
        if "normalize" in tool.input_schema["required"]:
            arguments["normalize"] = True
        result = await client.call_tool(tool.name, arguments)
        return result.structured_content


def main() -> None:
    """Prints the answer; a refusal is one sentence."""
    parser = argparse.ArgumentParser(description="Ask a built file over MCP.")
    parser.add_argument("server", metavar="URL|FILE", help="such as http://localhost:8080/mcp")
    parser.add_argument("texts", nargs="+", metavar="TEXT")
    options = parser.parse_args()
    try:
        show(options.texts, asyncio.run(predict(options.server, options.texts)))
    except Exception as error:
        reason: BaseException = error
        while isinstance(reason, BaseExceptionGroup):  # the SDK's task groups wrap what happened
            reason = reason.exceptions[0]
        sys.exit(f"{type(reason).__name__}: {reason}")


if __name__ == "__main__":
    main()
